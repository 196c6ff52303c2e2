"""How the page looks."""

#: Gradio shows an error for a video that the browser cannot play but we can read.
HEAD = """<script>addEventListener('error', event => {
    if (event.target.tagName === 'VIDEO') event.stopImmediatePropagation()
}, true)</script>"""

CSS = """
.gradio-container {max-width: 1080px !important; margin: auto !important}
.paper {background: #fff; color: #1f2933; border: 1px solid #d9e2ec;
        border-radius: 8px; padding: 12px 16px; margin-bottom: 12px}
.paper span {color: #1f2933}
.paper h3 {color: #1f2933; margin: 0 0 8px; font-size: 15px}
.paper img {width: 100%; height: auto; display: block}
.faces {display: flex; gap: 16px; flex-wrap: wrap}
.faces figure {flex: 1 1 260px; margin: 0; max-width: 480px}
.faces figcaption {color: #52606d; font-size: 13px; margin-top: 4px}
.score {display: grid; grid-template-columns: 8em 1fr 3em; gap: 12px;
        align-items: center; margin: 4px 0}
.score i {background: #edf1f4; height: 14px; border-radius: 7px; overflow: hidden}
.score b {background: #9fb8c2; height: 100%; display: block}
.score.highest b {background: #1f6f8b}
.score.highest {font-weight: 600}
.problem, .note, .warning {padding: 10px 14px !important; border-radius: 8px;
        margin: 0 0 12px !important}
.problem {background: #fdecea !important; color: #7a1f14 !important}
.note {background: #eef4f7 !important; color: #1f2933 !important}
.warning {background: #fff6df !important}
.warning * {color: #4a3a05 !important; margin: 0 !important}
.html-container {padding: 0 !important}
/* Trimming would load a program from another host, which POLICY refuses. */
#video [aria-label^="Trim"], #video [aria-label^="Reset"] {display: none}
"""
