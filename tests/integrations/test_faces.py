"""What a person finds by completion: public names, under threadkeep and the adapters' own names."""

from __future__ import annotations

import importlib
import importlib.metadata
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import threadkeep

SOURCE = Path(threadkeep.__file__).parents[1]
ADAPTERS = {
    "langchain": ("langchain_threadkeep", "langchain"),
    "llama_index": ("llama_index.memory.threadkeep", "llama-index"),
    "openai_agents": ("openai_agents_threadkeep", "openai-agents"),
    "pydantic_ai": ("pydantic_ai_threadkeep", "pydantic-ai"),
    "google_adk": ("google_adk_threadkeep", "google-adk"),
    "agent_framework": ("agent_framework_threadkeep", "agent-framework"),
}
PACKAGES = [
    "threadkeep",
    "threadkeep.policies",
    "threadkeep.errors",
    "threadkeep.testing",
    *(package for package, _ in ADAPTERS.values()),
]
DISTRIBUTIONS = [
    "threadkeep",
    "langchain-threadkeep",
    "llama-index-memory-threadkeep",
    "openai-agents-threadkeep",
    "pydantic-ai-threadkeep",
    "google-adk-threadkeep",
    "agent-framework-threadkeep",
]


def core_alone(*args: str) -> subprocess.CompletedProcess[str]:
    """Run Python with threadkeep and the standard library, and nothing else."""
    start = f"import sys, runpy; sys.path.insert(0, {str(SOURCE)!r}); "
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + args[0], *args[1:]],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_found_under_threadkeep(name):
    package = importlib.import_module(ADAPTERS[name][0])
    module = importlib.import_module(f"threadkeep.{name}")
    assert dir(module) == sorted(package.__all__) == sorted(module.__all__)
    for public in package.__all__:
        assert getattr(module, public) is getattr(package, public)
    assert package.__all__
    for private in ("codec", "nothing"):
        with pytest.raises(AttributeError, match=private):
            getattr(module, private)


def test_importing_one_loads_no_framework():
    code = """
import sys, threadkeep.langchain, threadkeep.openai_agents, threadkeep.llama_index
print([n for n in ("langchain_core", "agents", "llama_index.core") if n in sys.modules])
threadkeep.langchain.trim_messages
assert "langgraph" not in sys.modules
from threadkeep.langchain import *
print(ThreadkeepMiddleware.__name__)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split("\n")[:2] == ["[]", "ThreadkeepMiddleware"], result.stderr


@pytest.mark.parametrize("name", ADAPTERS)
def test_one_that_is_not_installed_says_what_to_install(name):
    package, extra = ADAPTERS[name]
    result = core_alone(f"import threadkeep.{name}")
    error = result.stderr.strip().splitlines()[-1]
    pip = f'pip install "threadkeep[{extra}]"'
    assert error == f"threadkeep.errors.MissingExtra: {package} is not installed: {pip}"


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_and_help_show_public_names(name):
    package = importlib.import_module(name)
    assert {*dir(package)} >= {*package.__all__}
    others = {*dir(package)} - {*package.__all__, "__version__"}
    assert others <= {"backends", "importers", "service", "testing", *ADAPTERS}
    described = pydoc.plain(pydoc.render_doc(package))
    for hidden in ("annotations =", "TYPE_CHECKING =", "Final =", "did_you_mean("):
        assert hidden not in described


def test_errors_shows_every_error():
    errors = threadkeep.errors
    classes = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert {*errors.__all__} == {
        n for n in classes if vars(errors)[n].__module__ == errors.__name__
    }


def test_python_m_threadkeep_is_the_command_line(tmp_path):
    command = [sys.executable, "-m", "threadkeep", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, f"threadkeep {threadkeep.__version__}\n")


def test_python_m_threadkeep_without_its_extra_says_what_to_install():
    result = core_alone("runpy.run_module('threadkeep', run_name='__main__')")
    assert result.returncode == 2
    assert result.stderr == 'threadkeep: the command line needs: pip install "threadkeep[cli]"\n'


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_distribution_links_to_its_documentation(distribution):
    urls = importlib.metadata.metadata(distribution).get_all("Project-URL") or []
    assert any(url.startswith("Documentation, https://") for url in urls)
