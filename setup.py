"""Build mmcomp: the package, and its configs and tools below ``mmcomp/.mim``."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
MIM = ('configs', 'tools', 'model-index.yml')
version: dict = {}
exec((ROOT / 'mmcomp' / 'version.py').read_text(), version)


class BuildWithMim(build_py):
    """Adds what MIM looks for; every way of building runs this command."""

    def run(self) -> None:
        super().run()
        # An editable install leaves the package where it is: there, .mim is links.
        editable = self.editable_mode
        target = (ROOT if editable else Path(self.build_lib)) / 'mmcomp' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in MIM:
            source, copy = ROOT / name, target / name
            if editable:
                copy.symlink_to(Path('..', '..', name))
            elif source.is_dir():
                ignored = shutil.ignore_patterns('__pycache__', '*.pyc')
                shutil.copytree(source, copy, ignore=ignored)
            else:
                shutil.copy2(source, copy)


# Without an extra: what an exported network needs to predict, but for ONNX Runtime.
RUNTIME = ['numpy>=1.25', 'opencv-python>=4.8.0.74', 'pandas>=2.1', 'pillow>=10.0']
TRAIN = [
    'torch>=2.7',
    'torchvision>=0.22',
    'mmengine>=0.11.0rc3',
    'mmpretrain>=1.2.0',
    'scikit-learn>=1.6',
    'filelock>=3.12',
    'jinja2>=3.1',
    'joblib>=1.5',
    'matplotlib>=3.7',
    'packaging>=24.2',
    'rich>=13',
    'safetensors>=0.4',
    'scipy>=1.10',
    'statsmodels>=0.14',
    'tabulate>=0.9',
    'threadpoolctl>=3.1',
]
EXTRAS = {
    'runtime': ['onnxruntime>=1.18'],
    'train': TRAIN,
    # mmcv-lite must not be installed next to mmcv, so it is asked for by name.
    'lite': [*TRAIN, 'mmcv-lite>=2.0'],
    'excel': ['openpyxl>=3.1'],
    'onnx': ['onnx>=1.17', 'onnxruntime>=1.18', 'onnxscript>=0.6.1'],
    'dask': ['distributed>=2024.1'],
    'tensorboard': ['tensorboard>=2.12'],
    'vis': ['captum>=0.9'],
    'demo': ['captum>=0.9', 'gradio>=6.24'],
    'docs': [
        'ipykernel>=7.0',
        'mkdocs>=1.6',
        'mkdocs-material>=9.5',
        'mkdocstrings[python]>=1.0',
        'nbclient>=0.10',
        'nbconvert>=7.16',
    ],
}
EXTRAS['test'] = [
    *(
        bound
        for name in ('dask', 'excel', 'onnx', 'tensorboard', 'vis')
        for bound in EXTRAS[name]
    ),
    'build>=1.0',
    'hypothesis>=6.90',
    'markdown-it-py>=3.0.0',
    'playwright>=1.45',
    'pytest>=8.0',
    'pytest-cov>=7.0',
    'pytest-timeout>=2.3.1',
    'pytest-xdist>=3.5',
    'scikit-image>=0.22',
    'setuptools>=77.0.1',
]
# What these find depends on their version: the minimum is the one of constraints.txt.
# But pgmpy is a reference in a test; it is here since it needs NumPy 2.
EXTRAS['dev'] = [
    *EXTRAS['test'],
    'import-linter>=2.17',
    'mypy>=2.4.1',
    'pandas-stubs>=3.1.0.261029',
    'pgmpy>=1.1.0',
    'pre-commit>=4.7.0',
    'ruff>=0.17.6',
    'scipy-stubs>=1.17.1.5',
    'types-PyYAML>=6.0.12.20261113',
    'types-tabulate>=0.10.0.20261006',
    'typos>=1.52.0',
]

setup(
    name='mmcomp',
    version=version['__version__'],
    description='Siamese networks that compare onset and apex face images, '
    'built on MMPretrain',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='mmcomp contributors',
    license='Apache-2.0',
    keywords='siamese networks, facial expression recognition, micro-expressions, '
    'posed and spontaneous expressions, onset, apex, MMPretrain, OpenMMLab, PyTorch',
    python_requires='>=3.11',
    packages=find_packages(include=['mmcomp', 'mmcomp.*']),
    package_data={
        'mmcomp': ['py.typed'],
        'mmcomp.databases': ['*.csv'],
        'mmcomp.experiments': ['templates/*'],
        'mmcomp.faces': ['*.onnx', '*.tflite', 'NOTICE*'],
        'mmcomp.synthetic': ['*.npz', 'NOTICE*'],
    },
    entry_points={'console_scripts': ['mmcomp = mmcomp.cli.main:main']},
    cmdclass={'build_py': BuildWithMim},
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Topic :: Scientific/Engineering :: Image Recognition',
        'Typing :: Typed',
    ],
)
