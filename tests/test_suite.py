"""Every test file holds a test, and has a name of its own."""

import ast
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def holds_a_test(source):
    """Whether a function of the module, or a method of its classes, is a test."""
    nodes = []
    for node in ast.parse(source).body:
        nodes += node.body if isinstance(node, ast.ClassDef) else [node]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(n, functions) and n.name.startswith('test') for n in nodes)


def empty_files():
    """The test files without a test, relative to the repository."""
    return [
        path.relative_to(TESTS.parent).as_posix()
        for path in sorted(TESTS.rglob('test_*.py'))
        if not holds_a_test(path.read_text(encoding='utf-8'))
    ]


def test_no_test_file_is_empty():
    assert empty_files() == []


def test_no_two_test_files_have_one_name():
    """pytest takes the second for the first, whose tests then run twice or not."""
    names = [path.name for path in TESTS.rglob('test_*.py')]
    assert sorted(names) == sorted(set(names))


def test_what_counts_as_a_test():
    assert holds_a_test('def test_it(): pass')
    assert holds_a_test('class TestIt:\n    async def test_it(self): pass')
    assert not holds_a_test('')
    assert not holds_a_test('def helper():\n    def test_it(): pass')


if __name__ == '__main__':
    # The hook of .pre-commit-config.yaml: no need to start pytest for it.
    sys.exit('\n'.join(f'{path}: no test in it' for path in empty_files()) or None)
