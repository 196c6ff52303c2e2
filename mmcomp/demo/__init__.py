"""A local web page to try a trained network; see ``docs/demo.md``.

It needs the extra ``demo``: ``pip install 'mmcomp[demo]'``.
"""
