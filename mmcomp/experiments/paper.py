"""What the paper reports in its Tables 1 and 2, to stand beside ours."""

#: Rows in the paper's order: title; error in percent on NVIE subset, full set, SPOS.
PAPER_ROWS = {
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

#: Which column of the paper has the size of which data.
PAPER_COLUMNS = {'nvie-subset': 1, 'nvie-full': 2, 'spos': 3}


def title(name: str) -> str:
    """How a network is called in a report."""
    return PAPER_ROWS[name][0] if name in PAPER_ROWS else name


def paper_error(name: str, data: str):
    """The paper's error in percent on data of this size, or None."""
    column = PAPER_COLUMNS.get(data)
    return PAPER_ROWS[name][column] if column and name in PAPER_ROWS else None


def in_paper_order(names) -> list:
    """The paper's rows first, in its order, then the others as they come."""
    order = {name: index for index, name in enumerate(PAPER_ROWS)}
    return sorted(names, key=lambda name: order.get(name, len(order)))
