PYTHON ?= python3
PORT ?= 8000
THEME ?= on
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-fast screenshots
.DELETE_ON_ERROR:

help:
	@echo "make demo   serve the sandbox at http://127.0.0.1:$(PORT) (another port: PORT=8123;"
	@echo "            without the example theme: THEME=off)"
	@echo "make test   run the tests on SQLite, and on PostgreSQL and MariaDB where they are;"
	@echo "            it tells first what it skips and how not to, and how long it takes."
	@echo "            One test on one database:"
	@echo "            TEST_DATABASE=postgresql $(BIN)/pytest tests/sql/test_compiled_queries.py -k name"
	@echo "make test-fast"
	@echo "            run in a minute what most changes need: on SQLite, without browsers,"
	@echo "            races of processes and slow tests"
	@echo "make screenshots"
	@echo "            take the pictures of the documentation anew, in docs/screenshots"

demo: export SANDBOX_THEME := $(THEME)
demo: $(VENV)/.sandbox
	@$(BIN)/python -m sandbox.manage demo --address http://127.0.0.1:$(PORT)
	@echo
	@$(BIN)/python -m sandbox.manage runserver --noreload 127.0.0.1:$(PORT)

test: $(VENV)/.test
	@$(BIN)/python -c "import MySQLdb" 2>$(VENV)/mariadb.log \
		|| $(BIN)/python -m pip install -qq --group mariadb >$(VENV)/mariadb.log 2>&1 \
		|| echo "MariaDB's driver can't be installed (see $(VENV)/mariadb.log): it needs a C compiler, pkg-config and the headers of libmariadb."
	@$(BIN)/python -m tests.django_suite.source \
		|| { echo "Django's source can't be fetched: its session tests are not run."; test -z "$$CI"; }
	@$(BIN)/python -m tests.browser.axe 2>$(VENV)/axe.log \
		|| { echo "axe-core can't be fetched (see $(VENV)/axe.log): it needs npm. Its tests are not run."; test -z "$$CI"; }
	@$(BIN)/python -m tests.browser.htmx 2>$(VENV)/htmx.log \
		|| { echo "htmx 4 can't be fetched (see $(VENV)/htmx.log): it needs npm. Its tests are not run."; test -z "$$CI"; }
	@$(BIN)/python -m tests

test-fast: $(VENV)/.test
	@echo "On SQLite alone; not run: pages in a browser, races of processes, and tests"
	@echo "marked slow. It takes about a minute on two cores; make test runs all."
	@$(BIN)/python -m pytest -q -n auto --ignore=tests/browser -m "not processes and not slow"

screenshots: $(VENV)/.test
	@$(BIN)/python -m tests.browser.screenshots

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)

# Older pips don't know dependency groups.
$(VENV)/.sandbox $(VENV)/.test: $(VENV)/.%: pyproject.toml | $(BIN)/python
	@echo "Installing the package and what the $* needs into $(VENV) ..."
	@$(BIN)/python -m pip install -qq "pip>=25.1"
	@$(BIN)/python -m pip install -qq --editable . --group $*
	@touch $@
