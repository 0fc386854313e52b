"""What the bill of materials makes of the metadata that packages carry."""

from email.message import Message

import pytest

from bundle.sbom import Package, bill_of_materials
from bundle.target import Architecture, Target

TARGETS = [Target(Architecture.AMD64, "3.11"), Target(Architecture.AMD64, "3.13")]


def package(name: str, **fields: str | list[str]) -> Package:
    metadata = Message()
    for field, values in {"Name": name, "Version": "1.0", **fields}.items():
        for value in [values] if isinstance(values, str) else values:
            metadata[field.replace("_", "-")] = value
    return Package(metadata, ("0" * 64,))


@pytest.mark.parametrize(
    ("fields", "licences"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "other"}, [{"expression": "MIT OR Apache-2.0"}]),
        (
            {"Classifier": ["License :: OSI Approved", "License :: OSI Approved :: MIT License", "Topic :: Home"]},
            [{"license": {"name": "MIT License"}}],
        ),
        ({"License": "BSD-3-Clause\nCopyright ...\n"}, [{"license": {"name": "BSD-3-Clause"}}]),
        ({}, []),
    ],
)
def test_s21_the_licence_is_what_the_package_says_most_exactly(
    fields: dict[str, str | list[str]], licences: list[object]
) -> None:
    assert package("x", **fields).licences() == licences


def test_s21_who_needs_whom_counts_for_every_python_and_leaves_extras_out() -> None:
    needs = [
        "Ding-Dong>=1",
        "old ; python_version < '3.12'",
        "never ; sys_platform == 'win32'",
        "more ; extra == 'more'",
    ]
    own = package("edge_collector", Requires_Dist=needs)
    packages = [own, *(package(name) for name in ("ding_dong", "old", "never", "more"))]
    document = bill_of_materials(packages, TARGETS, made_at=0)
    assert document["dependencies"] == [
        {
            "ref": "pkg:pypi/edge-collector@1.0",
            "dependsOn": ["pkg:pypi/ding-dong@1.0", "pkg:pypi/old@1.0"],
        },
        *({"ref": each.purl, "dependsOn": []} for each in packages[1:]),
    ]
    assert document["metadata"] == {"timestamp": "1970-01-01T00:00:00Z", "component": own.component("application")}
