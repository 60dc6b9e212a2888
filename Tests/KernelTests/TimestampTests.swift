import Kernel
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "are written with 0, 3 or 6 digits of fraction",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_612_218_000_250, "2026-11-25T13:10:18.000250Z"),
            (1_795_612_218_500_000, "2026-11-25T13:10:18.500Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func writes(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(
        "are read with any zone and fraction",
        arguments: [
            ("2030-01-02T03:04:05.678000+00:00", 1_893_553_445_678_000),
            ("2030-01-02T05:04:05+02:00", 1_893_553_445_000_000),
            ("2030-01-01T22:04:05.1234567-05:00", 1_893_553_445_123_456),
        ] as [(String, Int64)]
    )
    func reads(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(
        "are not read from other text",
        arguments: [
            "", "2030-01-02", "2030-02-30T00:00:00Z", "2030-01-02T24:00:00Z", "2030-01-02T03:04:05",
            "2030-01-02T03:04:05.Z",
            "2030-01-02T03:04:05Zx", "2030-1-2T03:04:05Z", "2030-13-02T03:04:05Z",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("have HTTP's date form")
    func httpDate() {
        #expect(Timestamp(seconds: 784_111_777).httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
    }

    @Test(
        "are not read from what is no date of HTTP",
        arguments: [
            "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3Z GMT", "Sun,  06 Nov 1994 08:49:37 GMT",
        ]
    )
    func refusesDates(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }
}
