"""From somebody's table to a champion that answers, without a line written by hand."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

pytestmark = [pytest.mark.all, pytest.mark.timeout(2000)]


def orders(rows=600):
    """Made orders: the price follows from weight, colour and season; fields are empty here and there."""
    drawn = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "order_id": np.arange(1, rows + 1),
            "weight": drawn.gamma(3, 2, rows).round(2),
            "colour": drawn.choice(["red", "green", "blue"], rows),
            "gift": drawn.choice(["true", "false"], rows),
            "day": pd.date_range("2023-01-15", periods=rows, freq="12h").strftime("%d.%m.%Y %H:%M"),
            "note": [
                " ".join(drawn.choice(["fast", "slow", "lovely", "broken", "thanks"], 4)) for _ in range(rows)
            ],
        }
    )
    costly = frame["colour"].map({"red": 20, "green": 5, "blue": 0})
    frame["price"] = (3 * frame["weight"] + costly + drawn.normal(0, 1, rows)).round(2)
    frame["paid"] = (frame["price"] * 1.19).round(2)
    filled = frame.columns.isin(["order_id", "price", "paid"])
    return frame.mask((drawn.random(frame.shape) < 0.04) & ~filled)


def test_a_table_becomes_a_champion_that_answers_for_a_gap_and_what_it_never_saw(edited, tmp_path):
    orders().to_csv(tmp_path / "orders.csv", index=False, sep=";", decimal=",")
    told = edited.run("evermodel", "add", str(tmp_path / "orders.csv"), "--target", "price").stdout
    assert "- dropped: paid (tells price by itself)" in told
    assert "- dropped: order_id (each row has its own)" in told
    command = told.splitlines()[-1].partition("evermodel ")[2].split()
    assert command == ["run", "orders_linear", "orders_boosting"]
    edited.run("evermodel", "check")
    edited.run("evermodel", *command)
    rows = {row["experiment"]: row for row in json.loads(edited.run("evermodel", "list", "--json").stdout)}
    for name in command[1:]:
        assert rows[name]["champion"] == 1
        assert rows[name]["value"] < rows[name]["baseline"] / 2
    asked = tmp_path / "asked.csv"
    with asked.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(["weight", "colour", "gift", "day", "note"])
        writer.writerow(["6,5", "red", "true", "01.03.2023 12:00", "lovely"])
        writer.writerow(["6,5", "violet", "", "", "never heard"])
        writer.writerow(["", "blue", "false", "01.03.2023 12:00", ""])
    answers = json.loads(edited.run("evermodel", "predict", "--json", "orders_boosting", str(asked)).stdout)
    prices = [answer["price"] for answer in answers]
    assert len(prices) == 3
    assert prices[0] == pytest.approx(39.5, abs=6)
    assert all(0 < price < 80 for price in prices)
