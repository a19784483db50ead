"""Numbers of archives in the names of images."""

from __future__ import annotations

import pytest

from dermseg.datasets import archive_id


@pytest.mark.parametrize(
    "id", ["ISIC_0012345", "isic_0012345", "ISIC_0012345_downsampled", "ISIC_0012345 (1)"]
)
def test_a_number_is_found_in_any_case_and_before_any_ending(id: str) -> None:
    assert archive_id(id) == "ISIC_0012345"


@pytest.mark.parametrize("id", ["1", "image_001", "ISIC_00123456", "ISIC_001234", "IMD0031", ""])
def test_other_names_have_no_number(id: str) -> None:
    assert archive_id(id) is None


def test_ph2_has_numbers_too() -> None:
    assert archive_id("IMD003") == archive_id("imd003_lesion") == "IMD003"
