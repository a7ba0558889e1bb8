# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Tags the wheel with the platform of the binary that it contains, and with every Python 3."""

import os

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class Platform(Distribution):
    def has_ext_modules(self):
        return True


class Tagged(bdist_wheel):
    def get_tag(self):
        return "py3", "none", os.environ["AUSPEX_WHEEL_PLATFORM"]


setup(distclass=Platform, cmdclass={"bdist_wheel": Tagged})
