"""A table as a self-contained page in HTML."""

from html import escape

import pandas as pd

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
  body {{ font: 13px sans-serif; margin: 1em; }}
  table {{ border-collapse: collapse; white-space: nowrap; }}
  th, td {{ padding: 2px 8px; text-align: left; border-bottom: 1px solid #ddd; }}
  td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
  thead th {{ position: sticky; top: 0; background: #fff; }}
  th button {{ font: inherit; font-weight: bold; border: 0; background: none; cursor: pointer; }}
  th[aria-sort=ascending] button::after {{ content: " ▲"; }}
  th[aria-sort=descending] button::after {{ content: " ▼"; }}
</style>
<h1>{title}</h1>
<p>A click on a column's name sorts the rows by it, a second one the other way round.</p>
{table}
<script>
  const body = document.querySelector("tbody");
  const headers = [...document.querySelectorAll("thead th")];
  for (const cell of body.querySelectorAll("td"))
    cell.classList.toggle("number", cell.textContent !== "" && !isNaN(cell.textContent));
  const compare = (a, b) =>
    a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : a.localeCompare(b);
  headers.forEach((header, column) => {{
    const button = document.createElement("button");
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {{
      const ascending = header.getAttribute("aria-sort") !== "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {{
        // What is missing stays at the end.
        if (text(a) === "" || text(b) === "") return (text(a) === "") - (text(b) === "");
        return ascending ? compare(text(a), text(b)) : compare(text(b), text(a));
      }});
      body.append(...rows);
    }});
  }});
</script>
</html>
"""


def table_page(table: pd.DataFrame, title: str) -> str:
    """Return a page that shows a table, whose rows are sorted by a click on a column's name."""
    html = table.to_html(index=False, na_rep="", float_format="{:.4g}".format, border=0)
    return _PAGE.format(title=escape(title), table=html)
