"""A web page on one's own machine to try a trained network; see ``docs/demo.md``.

Needs the extra ``demo``: ``pip install 'mmcomp[demo]'``.
"""
