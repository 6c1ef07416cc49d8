"""An MCP server: it looks up the penguins of data/penguins.csv. `08_tools.ipynb` uses it."""

import csv
from pathlib import Path

from mcp.server import MCPServer

with Path(__file__).with_name("data").joinpath("penguins.csv").open(encoding="utf-8") as file:
    PENGUINS = list(csv.DictReader(file))

server = MCPServer("penguins")


@server.tool()
def count_penguins(species: str, island: str = "") -> int:
    """Count the penguins of a species: Adelie, Chinstrap or Gentoo; on one island, or on all."""
    return sum(one["species"] == species and island in ("", one["island"]) for one in PENGUINS)


@server.tool()
def remove_species(species: str) -> int:
    """Remove all penguins of a species from the table; return how many are left."""
    PENGUINS[:] = [one for one in PENGUINS if one["species"] != species]
    return len(PENGUINS)


if __name__ == "__main__":
    server.run()
