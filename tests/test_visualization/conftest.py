"""A small pair table, networks of random weights, and the tool's module."""

import importlib.util
import sys

import pytest
import torch
from runs import REPOSITORY, small_config

from mmcomp.models.inspect import prepare_pairs
from mmcomp.visualization.networks import random_model


@pytest.fixture(scope='session')
def table(make_pair_table, tmp_path_factory):
    """Gray pairs of 48x48 pixels; their ids are s00-posed-0 and the like."""
    return make_pair_table(tmp_path_factory.mktemp('pairs @ ü'), subjects=4, pairs=2)


@pytest.fixture
def make_model(table, tmp_path):
    """``make_model(name)``: a shipped network of random weights."""

    def make(name='compcnn_comb@2', seed=0):
        cfg = small_config(table, tmp_path, name)
        return random_model(cfg, seed, 'cpu').eval()

    return make


@pytest.fixture
def make_inputs():
    """``make_inputs(model, count)``: noisy pairs as the network takes them."""

    def make(model, count=3, seed=0):
        generator = torch.Generator().manual_seed(seed)
        pairs = torch.randint(0, 256, (count, 2, 1, 48, 48), generator=generator)
        return prepare_pairs(model, list(pairs.byte()))

    return make


@pytest.fixture
def visualize(monkeypatch, capsys):
    """``visualize('pairs', CONFIG, ...)``: run the tool here, get what it prints."""
    path = REPOSITORY / 'tools' / 'visualize.py'
    spec = importlib.util.spec_from_file_location('visualize_tool', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['visualize.py', *map(str, arguments)])
        tool.main()
        return capsys.readouterr().out

    return run
