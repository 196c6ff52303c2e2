"""What several commands share: the parser, common options, quiet decoders."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.config import Config

CONFIG_HELP = 'config file, or the name of one that comes with mmcomp'
CHECKPOINT_HELP = '.pth or .safetensors file'


class ConfigOptions(argparse.Action):
    """MMEngine's ``DictAction``, imported only if the option is given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        for value in [values] if isinstance(values, str) else values or ():
            if '=' not in value:
                parser.error(f'{option_string} is {value!r}; it must be KEY=VALUE')
        from mmengine.config import DictAction

        action = DictAction(self.option_strings, self.dest, nargs=self.nargs)
        action(parser, namespace, values, option_string)


def new_parser(text: str | None, prog: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help shows a module's docstring as it is."""
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(
        prog=prog, description=text, formatter_class=formatter
    )


def at_least(least: float, kind: type = int) -> Callable[[str], float]:
    """Return what reads a number that must not be smaller, as ``type`` of an option.

    Examples:
        >>> at_least(1)('3')
        3
        >>> at_least(1)('0')
        Traceback (most recent call last):
        argparse.ArgumentTypeError: value is 0; it must be at least 1
    """

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(
                f'value is {text}; it must be at least {least}'
            )
        return value

    number.__name__ = kind.__name__  # argparse shows it
    return number


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``config``."""
    parser.add_argument('config', help=CONFIG_HELP)


def add_dataset(
    parser: argparse.ArgumentParser,
    purpose: str = "to use instead of the config's own data",
) -> None:
    """Add ``--dataset``."""
    parser.add_argument(
        '--dataset',
        metavar='CONFIG',
        help=f'a file of configs/_base_/datasets/, or its name, {purpose}',
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument(
        '--device', help='device of PyTorch; default: a GPU if there is one'
    )


def add_image_pairs(parser: argparse.ArgumentParser) -> None:
    """Add ``--pair`` and ``--aligned``."""
    parser.add_argument(
        '--pair',
        nargs=2,
        action='append',
        default=[],
        metavar=('ONSET', 'APEX'),
        help='two image files; may be given several times',
    )
    parser.add_argument(
        '--aligned', action='store_true', help='the images are aligned faces already'
    )


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override settings of the config; a list is KEY="[a,b]" or KEY=a,b, '
        'without spaces',
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing share, as MMPretrain names them."""
    parser.add_argument(
        '--work-dir',
        help='folder of logs, checkpoints and predictions; default: work_dirs/CONFIG',
    )
    add_dataset(parser)
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision; bfloat16 on a CPU',
    )
    parser.add_argument(
        '--no-pin-memory', action='store_true', help='disable pin_memory of dataloaders'
    )
    add_config_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher; default: %(default)s',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def config_from_args(args: argparse.Namespace) -> Config:
    """Read the config and apply the options of :func:`add_run_options`.

    Raises:
        ValueError: If a config file is missing.
    """
    from mmcomp.config import LOADERS, load_config

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher == 'slurm' and 'SLURM_JOB_ID' in os.environ:
        # MMEngine uses one port for all jobs, which may share a machine.
        os.environ.setdefault('MASTER_PORT', slurm_port(os.environ['SLURM_JOB_ID']))
    cfg = load_config(args.config, args.dataset, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
    for name in LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('collate_fn', dict(type='default_collate'))
            if args.no_pin_memory:
                loader.pin_memory = False
    return cfg


def slurm_port(job: str) -> str:
    """Return a port for the processes of a Slurm job, by its number.

    Examples:
        >>> slurm_port('1234567')
        '14567'
    """
    return str(10000 + int(job) % 10000)


def quiet_decoders() -> None:
    """Keep OpenCV's complaints about odd files off stderr; call before importing it.

    The results name the files that cannot be read.
    """
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'ERROR')
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
