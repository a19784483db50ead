"""Where dermseg meets the clinic's and the annotator's programs.

``labels`` converts masks from and to the formats of label tools.
"""
