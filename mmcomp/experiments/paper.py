"""What the paper reports in its Tables 1 and 2, to compare with."""

from collections.abc import Iterable

#: Rows in the paper's order: title; error in percent on NVIE subset, full set, SPOS.
PAPER_ROWS: dict[str, tuple[str, float, float, float]] = {
    'diffcnn': ('DiffCNN', 3.70, 8.47, 21.37),
    'compcnn_sub@1': ('CompCNN-Sub@1', 2.82, 7.47, 18.38),
    'compcnn_sub@2': ('CompCNN-Sub@2', 3.11, 7.61, 17.95),
    'compcnn_sub@3': ('CompCNN-Sub@3', 3.79, 7.35, 20.51),
    'compcnn_sub-svm': ('CompCNN-Sub-SVM', 2.43, 6.52, 16.66),
    'compcnn_comb@1': ('CompCNN-Comb@1', 2.33, 6.40, 19.49),
    'compcnn_comb@2': ('CompCNN-Comb@2', 2.43, 7.21, 19.91),
    'compcnn_comb@3': ('CompCNN-Comb@3', 2.33, 6.83, 19.91),
    'compcnn_comb-svm': ('CompCNN-Comb-SVM', 2.04, 5.95, 19.06),
}
BASELINE = 'diffcnn'

#: Data whose size the paper's databases have, in the order of its columns.
PAPER_COLUMNS = ('nvie-subset', 'nvie-full', 'spos')


def display_name(name: str) -> str:
    """Return the name of a network in a report."""
    return PAPER_ROWS[name][0] if name in PAPER_ROWS else name


def paper_error(name: str, data: str | None) -> float | None:
    """Return the paper's error in percent on data of this size, or None."""
    if name not in PAPER_ROWS or data not in PAPER_COLUMNS:
        return None
    errors = PAPER_ROWS[name][1:]
    return errors[PAPER_COLUMNS.index(data)]


def in_paper_order(names: Iterable[str]) -> list[str]:
    """Return the paper's rows first, in its order, then the others as they come."""
    order = {name: index for index, name in enumerate(PAPER_ROWS)}
    return sorted(names, key=lambda name: order.get(name, len(order)))
