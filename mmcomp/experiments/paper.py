"""What the paper reports in its Tables 1 and 2, to compare with."""

from collections.abc import Iterable
from typing import NamedTuple


class PaperRow(NamedTuple):
    """A row: title; error in percent on NVIE subset, full set, SPOS; None for '-'."""

    title: str
    subset: float | None = None
    full: float | None = None
    spos: float | None = None


#: Peers as in Table 1 (Table 2 has Wang et al. 2015 before 2016), then our baselines,
#: then the networks.
PAPER_ROWS: dict[str, PaperRow] = {
    'zhang2011_sift-fap': PaperRow('Zhang et al. 2011', 20.57),
    'zhang2011_sift-fap-pair': PaperRow('Zhang et al. 2011, pairs'),
    'wu2016_rbm': PaperRow('Wu and Wang 2016', 18.77, None, 25.64),
    'wang2016_rbm': PaperRow('Wang, Wu and Ji 2016', 10.99, None, 23.93),
    'wang2015_bn': PaperRow('Wang et al. 2015', 8.37, None, 25.21),
    'clbp-pair': PaperRow('Pfister et al. 2011, pairs', None, None, 21.80),
    'gan2015_dbm': PaperRow('Gan et al. 2015', 8.27, 20.30, 18.38),
    'difference-svm': PaperRow('Difference + SVM'),
    'geometry-svm': PaperRow('Displacement + SVM'),
    'diffcnn': PaperRow('DiffCNN', 3.70, 8.47, 21.37),
    'compcnn_sub@1': PaperRow('CompCNN-Sub@1', 2.82, 7.47, 18.38),
    'compcnn_sub@2': PaperRow('CompCNN-Sub@2', 3.11, 7.61, 17.95),
    'compcnn_sub@3': PaperRow('CompCNN-Sub@3', 3.79, 7.35, 20.51),
    'compcnn_sub-svm': PaperRow('CompCNN-Sub-SVM', 2.43, 6.52, 16.66),
    'compcnn_comb@1': PaperRow('CompCNN-Comb@1', 2.33, 6.40, 19.49),
    'compcnn_comb@2': PaperRow('CompCNN-Comb@2', 2.43, 7.21, 19.91),
    'compcnn_comb@3': PaperRow('CompCNN-Comb@3', 2.33, 6.83, 19.91),
    'compcnn_comb-svm': PaperRow('CompCNN-Comb-SVM', 2.04, 5.95, 19.06),
}
BASELINE = 'diffcnn'

#: Data whose size the paper's databases have, in the order of its columns.
PAPER_COLUMNS = ('nvie-subset', 'nvie-full', 'spos')

#: What must be known about a figure, by row and column.
FOOTNOTES: dict[tuple[str, str], str] = {
    ('zhang2011_sift-fap', 'nvie-subset'): (
        'Zhang et al. used other images of the database, apexes only; the paper quotes '
        'their figure as a reference.'
    ),
    ('clbp-pair', 'spos'): (
        'Pfister et al. used image sequences. 21.80 is the error of their infrared '
        'camera; that with visible light is 28. Ours compares onset and apex alone.'
    ),
    ('gan2015_dbm', 'nvie-full'): (
        "The paper's authors ran the code of Gan et al. on the full set."
    ),
    ('gan2015_dbm', 'spos'): (
        'Gan et al. reported 15.38, of the seed that was best on the test set; the '
        'paper gives the mean over seeds.'
    ),
}


def display_name(name: str) -> str:
    """Return the name of a method in a report."""
    return PAPER_ROWS[name].title if name in PAPER_ROWS else name


def paper_error(name: str, data: str | None) -> float | None:
    """Return the paper's error in percent on data of this size, or None."""
    if name not in PAPER_ROWS or data not in PAPER_COLUMNS:
        return None
    row = PAPER_ROWS[name]
    return (row.subset, row.full, row.spos)[PAPER_COLUMNS.index(data)]


def footnotes(names: Iterable[str], data: str | None) -> dict[str, tuple[str, str]]:
    """Return a mark and a footnote for the paper's figures that need one, by name."""
    noted = [name for name in names if data and (name, data) in FOOTNOTES]
    return {
        name: (f'({letter})', FOOTNOTES[name, str(data)])
        for letter, name in zip('abcdefgh', noted)
    }


def in_paper_order(names: Iterable[str]) -> list[str]:
    """Return the paper's rows first, in its order, then the others as they come."""
    order = {name: index for index, name in enumerate(PAPER_ROWS)}
    return sorted(names, key=lambda name: order.get(name, len(order)))
