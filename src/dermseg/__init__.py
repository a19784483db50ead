"""Segment skin lesions in dermoscopic images.

Not a medical device: the masks and numbers are no diagnosis.
"""

__version__ = "0.1.0"
