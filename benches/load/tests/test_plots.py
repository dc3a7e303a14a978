"""Plots: what is in the data is in them, where it belongs, for readers of any kind."""

import unittest

import fake
import looks
import plots
import results
import titles
from drawn import Drawn
from scales import Linear, Log, short

MANY = ["hinny inline (lane)", "hinny inline (hyper only)", "hinny worker (lane)", "hinny virtual (lane)", "hyper", "netty",
        "vertx", "undertow", "jetty", "helidon", "go", "nginx"]
FRACTIONS = (0.25, 0.5, 0.75, 0.9)


def many():
    """Twelve servers, as in the long run."""
    rows = [fake.row("plaintext", server, 1_000_000 - 80_000 * index, connections)
            for connections in (16, 64, 256, 1024, 4096, 10_000) for index, server in enumerate(MANY)]
    latency = [fake.at_a_rate("plaintext", server, 1000 * (20 - index) * fraction, 0.1 / (1 - fraction), fraction)
               for fraction in FRACTIONS for index, server in enumerate(MANY)]
    return {"bench": {"rows": rows, "latency": latency}}


class Plots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = plots.draw(results.load_all(fake.DATA))
        cls.many = plots.draw(many())

    def test_which_plots_there_are(self):
        self.assertEqual({f"{figure}-{scenario}.svg" for figure in ("rps", "cpu")
                          for scenario in ("plaintext", "json", "service", "db")}
                         | {"connections-plaintext.svg", "latency-plaintext.svg", "latency-service.svg"},
                         self.files.keys())
        self.assertEqual({"rps-plaintext.svg", "cpu-plaintext.svg", "connections-plaintext.svg", "latency-plaintext.svg"},
                         self.many.keys())
        self.assertEqual({}, plots.draw({}))

    def test_every_server_is_named(self):
        for name, svg in self.many.items():
            for server in MANY:
                with self.subTest(name, server=server):
                    self.assertIn(titles.server(server), Drawn(svg).texts())

    def test_no_text_overlaps(self):
        for name, svg in [*self.files.items(), *self.many.items()]:
            with self.subTest(name):
                self.assertEqual([], Drawn(svg).overlaps())

    def test_readable_without_seeing_or_on_a_dark_page(self):
        for name, svg in self.many.items():
            drawn = Drawn(svg)
            with self.subTest(name):
                self.assertEqual("img", drawn.root.get("role"))
                named = [drawn.elements(element)[0] for element in ("title", "desc")]
                self.assertEqual(drawn.root.get("aria-labelledby"), " ".join(element.get("id") for element in named))
                for server in MANY:
                    self.assertIn(titles.server(server), named[1].text)
                background = drawn.elements("rect")[0]
                self.assertEqual("#ffffff", background.get("fill"))
                self.assertGreaterEqual(float(background.get("width")), drawn.width - 2)

    def test_same_data_same_bytes(self):
        self.assertEqual(self.many, plots.draw(many()))


class Bars(unittest.TestCase):
    ROWS = [fake.row("plaintext", "netty", 500), fake.row("plaintext", "hyper", 1000),
            fake.row("plaintext", "hinny worker (lane)", 800), fake.row("plaintext", "go", 900, valid=False)]

    def setUp(self):
        self.drawn = {name: Drawn(svg) for name, svg in plots.draw({"bench": {"rows": self.ROWS}}).items()}

    @staticmethod
    def _scale(drawn):
        """Where a value of the axis is, by two of its texts."""
        at = {found.text: float(found.get("x")) for found in drawn.elements("text") if found.text in ("0", "1k")}
        return lambda value: at["0"] + (at["1k"] - at["0"]) * value / 1000

    def test_whiskers_end_at_least_and_greatest(self):
        drawn = self.drawn["rps-plaintext.svg"]
        scale = self._scale(drawn)
        whiskers = [(float(found.get("x1")), float(found.get("x2"))) for found in drawn.elements("line", "whisker")]
        self.assertEqual(3, len(whiskers))
        for (left, right), median in zip(whiskers, (1000, 800, 500)):
            self.assertAlmostEqual(scale(median * 0.9), left, delta=0.2)
            self.assertAlmostEqual(scale(median * 1.1), right, delta=0.2)

    def test_bars_end_at_the_median(self):
        drawn = self.drawn["rps-plaintext.svg"]
        ends = [float(bar.get("x")) + float(bar.get("width")) for bar in drawn.elements("rect", "bar")]
        for end, median in zip(ends, (1000, 800, 500)):
            self.assertAlmostEqual(self._scale(drawn)(median), end, delta=0.2)

    def test_best_first(self):
        names = {titles.server(row["server"]) for row in self.ROWS}
        for name in ("rps-plaintext.svg", "cpu-plaintext.svg"):
            shown = [text for text in self.drawn[name].texts() if text in names]
            self.assertEqual(["hyper", "hinny worker (lane)", "Netty", "Go"], shown, name)

    def test_invalid_has_no_bar(self):
        drawn = self.drawn["rps-plaintext.svg"]
        self.assertEqual(3, len(drawn.elements("rect", "bar")))
        self.assertIn("invalid", drawn.texts())
        self.assertNotIn("900", drawn.texts())

    def test_hinny_stands_out_without_colour(self):
        bold = [found.text for found in self.drawn["rps-plaintext.svg"].elements("text")
                if found.get("font-weight") == "bold"]
        self.assertIn("hinny worker (lane)", bold)
        self.assertNotIn("hyper", bold)


class Lines(unittest.TestCase):
    def test_a_line_for_each_server_in_each_panel(self):
        files = plots.draw(many())
        for name, panels, points in (("latency-plaintext.svg", 3, len(FRACTIONS)), ("connections-plaintext.svg", 2, 6)):
            found = Drawn(files[name]).elements("polyline", "series")
            self.assertEqual(panels * len(MANY), len(found), name)
            self.assertEqual({points}, {len(line.get("points").split()) for line in found}, name)

    def test_scaling_leaves_out_who_has_one_number_of_connections(self):
        rows = [fake.row("plaintext", "hyper", 1000, connections) for connections in (64, 1024)]
        drawn = Drawn(plots.draw({"bench": {"rows": [*rows, fake.row("plaintext", "netty", 900)]}})
                      ["connections-plaintext.svg"])
        self.assertIn("hyper", drawn.texts())
        self.assertNotIn("Netty", drawn.texts())

    def test_lines_differ_without_colour(self):
        unknown = [f"other-{number}" for number in range(10)] + [f"hinny of kind {number}" for number in range(8)]
        found = looks.of(MANY + unknown)
        kinds = {(look.marker, look.filled, look.dashes, look.width) for look in found.values()}
        self.assertEqual(len(found), len(kinds))

    def test_invalid_points_are_left_out(self):
        rows = [fake.at_a_rate("plaintext", server, rate, 1.0, 0.5, valid=server != "netty")
                for server in ("hyper", "netty") for rate in (100, 200)]
        drawn = Drawn(plots.draw({"bench": {"rows": [], "latency": rows}})["latency-plaintext.svg"])
        self.assertEqual(3, len(drawn.elements("polyline", "series")))
        self.assertNotIn("Netty", drawn.texts())

    def test_one_rate_of_all_is_drawn_as_bars(self):
        rows = [fake.at_a_rate("service", server, 1000, p50_ms, None) for server, p50_ms in (("hyper", 2.0), ("netty", 1.0))]
        drawn = Drawn(plots.draw({"bench": {"rows": [], "latency": rows}})["latency-service.svg"])
        self.assertEqual([], drawn.elements("polyline", "series"))
        self.assertEqual(["Netty", "hyper"], [text for text in drawn.texts() if text in ("hyper", "Netty")])
        self.assertIn("10.00", drawn.texts())
        self.assertEqual({}, plots.draw({"bench": {"rows": [], "latency": rows[:1]}}))


class Scales(unittest.TestCase):
    def test_linear_goes_from_zero_to_a_round_value(self):
        for most, last in ((1, 1), (1.01, 1.25), (7, 8), (119_872, 125_000), (0.013, 0.015)):
            ticks = Linear(most, 0, 100).ticks()
            self.assertEqual(0, ticks[0][0])
            self.assertAlmostEqual(last, ticks[-1][0])
            self.assertAlmostEqual(100, Linear(most, 0, 100)(ticks[-1][0]))

    def test_log_holds_all_values(self):
        for least, most in ((0.001, 100), (1, 1), (0.07, 0.08), (3, 20_000), (0.2, 1000)):
            scale = Log(least, most, 0, 100)
            self.assertLessEqual(-1e-6, scale(least))
            self.assertLessEqual(scale(most), 100 + 1e-6)
            self.assertGreaterEqual(len(scale.ticks()), 2)

    def test_short_texts(self):
        for value, text in ((0, "0"), (0.5, "0.5"), (800, "800"), (1000, "1k"), (1250, "1250"), (12_500, "12.5k"),
                            (1_200_000, "1.2M"), (25_000_000, "25M")):
            self.assertEqual(text, short(value))


if __name__ == "__main__":
    unittest.main()
