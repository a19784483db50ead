"""One kit for HTML pages: a style sheet, a Jinja environment, charts and pictures.

Every page is one file: it loads nothing, runs no script, follows the reader's light or dark
scheme, and fits narrow screens. `dermseg.pages.parts` works with the core alone; rendering and
charts need the extra ``eval`` (Jinja and MarkupSafe), so that predicting does not.
"""
