"""gongkai (公开): Chinese government reports to checked, citable data."""

from importlib.metadata import version

__version__ = version("gongkai")
