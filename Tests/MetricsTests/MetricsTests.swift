import Metrics
import XCTest

final class MetricsTests: XCTestCase {
    private func text(_ build: (inout MetricsText) -> Void) -> String {
        var text = MetricsText()
        build(&text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    func testACounterIsWrittenWithItsSamplesInOrder() {
        var counter = Counter(startingAtZero: ["b"])
        counter.increment("c")
        counter.increment("a", by: 2)
        counter.increment("a")
        XCTAssertEqual(
            text { $0.add("calls_total", "Calls.", counter) { ["name": $0] } },
            """
            # HELP calls_total Calls.
            # TYPE calls_total counter
            calls_total{name="a"} 3
            calls_total{name="b"} 0
            calls_total{name="c"} 1

            """)
    }

    func testAHistogramCountsEachValueInEveryBucketThatIsLargeEnough() {
        var family = HistogramFamily<String>(bounds: [1, 0.5, .infinity])
        for value in [0.25, 0.5, 0.75, 9, .nan] { family.observe(value, "a") }
        XCTAssertEqual(
            text { $0.add("wait_seconds", "Waits.", family) { ["name": $0] } },
            """
            # HELP wait_seconds Waits.
            # TYPE wait_seconds histogram
            wait_seconds_bucket{name="a",le="0.5"} 2
            wait_seconds_bucket{name="a",le="1"} 3
            wait_seconds_bucket{name="a",le="+Inf"} 4
            wait_seconds_sum{name="a"} 10.5
            wait_seconds_count{name="a"} 4

            """)
    }

    func testGaugesAreWrittenInTheOrderGiven() {
        XCTAssertEqual(
            text { $0.addGauge("up", "Ups.", [(["id": "z"], 1), ([:], 0.5), (["id": "a", "b": "c"], .infinity)]) },
            """
            # HELP up Ups.
            # TYPE up gauge
            up{id="z"} 1
            up 0.5
            up{id="a",b="c"} +Inf

            """)
    }

    func testValuesOfLabelsCannotBreakOutOfTheirQuotes() {
        XCTAssertEqual(
            text { $0.addGauge("up", "Line\nand \\ and \".", [(["id": "a\"} 1\n\\"], 1)]) },
            #"""
            # HELP up Line\nand \\ and ".
            # TYPE up gauge
            up{id="a\"} 1\n\\"} 1

            """#)
    }

    func testWholeNumbersAreWrittenWithoutAPoint() {
        XCTAssertTrue(text { $0.addCounter("n_total", "N.", 1_700_000_000) }.hasSuffix("n_total 1700000000\n"))
        XCTAssertTrue(text { $0.addCounter("n_total", "N.", 0.25) }.hasSuffix("n_total 0.25\n"))
    }
}
