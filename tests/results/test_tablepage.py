"""Tables as pages; how they sort is tested in a browser (tests/workflow/test_report.py)."""

import pandas as pd

from rnncells.results.tablepage import table_page


def test_a_page_shows_the_table_and_needs_nothing_else():
    table = pd.DataFrame({"cell": ["GRU", "a<b"], "value": [0.123456, float("nan")]})
    page = table_page(table, "Cells & numbers")
    assert "<title>Cells &amp; numbers</title>" in page
    assert "<td>a&lt;b</td>" in page
    assert "<td>0.1235</td>" in page
    assert "nan" not in page.lower().replace("isnan", "")
    assert page.count("<tr") == 3
    assert not [word for word in ("http", "src=", "href=", "@import") if word in page]
