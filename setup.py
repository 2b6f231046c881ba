import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text().split()


setup(
    name="cfvgg",
    version=re.search(r'__version__ = "(.+)"', (ROOT / "cfvgg" / "__init__.py").read_text())[1],
    description="Real-time correlation-filter tracking of one target on a CPU, with features of a compressed VGG-M",
    long_description=(ROOT / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="BSD-3-Clause",
    author="The cfvgg authors",
    python_requires=">=3.10",
    # opencv-contrib-python and the headless wheels serve as well; CONTRIBUTING.rst says how to keep one of those.
    install_requires=[*requirements("base"), "opencv-python>=4.9"],
    extras_require={name: requirements(name) for name in ("cluster", "onnx", "report", "test", "train")},
    packages=find_packages(include=[f"{name}{below}" for name in ("cfvgg", "trackers", "distill", "benchmarks") for below in ("", ".*")]),
    package_data={
        "benchmarks": ["*.json", "*/*.json", "report/*.css", "report/*.js"],
        "cfvgg": ["data/*.safetensors", "py.typed"],
        "trackers": ["py.typed"],
    },
    entry_points={"console_scripts": ["cfvgg = cfvgg.cli:main"]},
    zip_safe=False,
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
