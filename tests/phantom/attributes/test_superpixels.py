import numpy as np

from dermseg.phantom.attributes.superpixels import Superpixels


def _cells(size: tuple[int, int] = (192, 256)) -> Superpixels:
    return Superpixels(np.random.default_rng(0), size)


def test_an_image_has_about_a_thousand_superpixels() -> None:
    cells = _cells()
    single = np.zeros((192, 256), np.bool_)
    single[100, 100] = True
    area = cells.mark(single, share=0.0).sum()
    assert 192 * 256 / area > 250
    assert 192 * 256 / area < 4000
    assert abs(cells.side - np.sqrt(192 * 256 / 1000)) < 1e-6


def test_superpixels_of_small_images_are_not_finer_than_structures() -> None:
    assert _cells((64, 64)).side == 4


def test_marks_are_whole_superpixels() -> None:
    cells = _cells()
    marked = cells.mark(np.random.default_rng(1).random((192, 256)).astype(np.float32), share=0.5)
    assert 0 < marked.sum() < marked.size
    assert np.array_equal(cells.mark(marked, share=0.0), marked)
    assert np.array_equal(cells.mark(marked, share=0.99), marked)


def test_nothing_marks_nothing_and_everything_marks_everything() -> None:
    cells = _cells()
    assert not cells.mark(np.zeros((192, 256), np.bool_), share=0.0).any()
    assert cells.mark(np.ones((192, 256), np.bool_), share=0.9).all()


def test_a_group_has_no_gap_between_neighbours() -> None:
    cells = _cells()
    dots = np.zeros((192, 256), np.float32)
    dots[60:130:12, 60:130:12] = 1
    single, group = cells.mark(dots, share=0.0), cells.mark_group(dots, share=0.0)
    assert group[single].all()
    assert group[62:118, 62:118].mean() > 0.95
    assert group.sum() < 100 * 100
