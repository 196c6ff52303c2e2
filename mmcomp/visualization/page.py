"""Write pictures as PNG, PDF or SVG files, or as one HTML page."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment
from matplotlib.figure import Figure

from mmcomp.figures import check_format
from mmcomp.files import write_bytes, write_text

from .style import encode

HTML = '.html'
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ page.heading }}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; color: #52606d; margin: 2rem auto;
         max-width: 76rem; padding: 0 1.2rem; }
  li { margin: .25rem 0; }
  img { max-width: 100%; height: auto; display: block; margin: 0 0 2.4rem; }
</style>
</head>
<body>
{% for picture, data in pictures %}
<img src="data:image/png;base64,{{ data }}" alt="{{ picture.caption }}">
{% endfor %}
<ul>{% for note in page.notes %}<li>{{ note }}</li>{% endfor %}</ul>
</body>
</html>
"""


@dataclass(frozen=True)
class Picture:
    """A figure with its name and a description.

    Attributes:
        name (str): Name of the network or part; empty for a single picture.
        figure (Figure): The picture.
        caption (str): Alternative text of the picture.
    """

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Page:
    """Pictures that belong together.

    Attributes:
        heading (str): Heading of the page.
        pictures (list[Picture]): At least one.
        notes (list[str]): Explanations, in sentences.
    """

    heading: str
    pictures: list[Picture]
    notes: list[str] = field(default_factory=list)


def check_out(out: Path) -> Path:
    """Check the suffix of an output file, before any work is done.

    Raises:
        ValueError: If it is neither a picture nor a page.
    """
    return check_format(out, (HTML,))


def write_page(page: Page, out: Path) -> list[Path]:
    """Write one HTML page, or a file for each picture.

    Args:
        page: The page.
        out (Path): An ``.html``, ``.png``, ``.pdf`` or ``.svg`` file. The names of
            several pictures are added to the name of the file.

    Returns:
        list[Path]: The files.
    """
    out = check_out(out)
    suffix = '.png' if out.suffix == HTML else out.suffix
    images = [encode(picture.figure, suffix) for picture in page.pictures]
    if out.suffix == HTML:
        data = [base64.b64encode(image).decode() for image in images]
        template = Environment(autoescape=True).from_string(PAGE)
        text = template.render(page=page, pictures=list(zip(page.pictures, data)))
        write_text(out, text)
        return [out]
    paths = []
    for picture, image in zip(page.pictures, images):
        name = f'-{picture.name}' if len(images) > 1 else ''
        paths.append(out.with_name(f'{out.stem}{name}{suffix}'))
        write_bytes(paths[-1], image)
    return paths
