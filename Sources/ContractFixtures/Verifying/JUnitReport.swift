import RequestSigning
import APIClient

/// The results of a verification as JUnit's XML, which CI servers show.
public struct JUnitReport {
    private let results: [Verification.Result]

    public init(_ results: [Verification.Result]) { self.results = results }

    public var xml: String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"killd contract verify\">\n"
        for api in CloudAPI.allCases {
            let suite = results.filter { $0.fixture.api == api }
            if !suite.isEmpty { text += self.suite(api, suite) }
        }
        return text + "</testsuites>\n"
    }

    private func suite(_ api: CloudAPI, _ results: [Verification.Result]) -> String {
        var (failures, errors, skipped) = (0, 0, 0)
        var cases = ""
        for result in results {
            let fixture = result.fixture
            cases += "    <testcase classname=\"\(api.rawValue).\(fixture.action.xml)\" name=\"\(fixture.name.xml)\""
            cases += " file=\"\(fixture.file.xml)\" time=\"\(result.duration.text)\""
            switch result.verdict {
            case .asExpected: cases += "/>\n"
            case .different(let step, let differences):
                failures += 1
                cases += ">\n      <failure message=\"step \(step + 1) differs\">"
                cases += differences.map { "\($0.path): expected \($0.expected), found \($0.found)".xml }
                    .joined(separator: "\n")
                cases += "</failure>\n    </testcase>\n"
            case .failed(let step, let error):
                errors += 1
                let words = "\(error.endpoint): \(error.reason)".xml
                cases +=
                    ">\n      <error message=\"step \(step + 1) brought no response\">\(words)</error>\n    </testcase>\n"
            case .skipped(let reason):
                skipped += 1
                cases += ">\n      <skipped message=\"\(reason.xml)\"/>\n    </testcase>\n"
            }
        }
        let counts = "tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
        return "  <testsuite name=\"\(api.rawValue)\" \(counts)>\n\(cases)  </testsuite>\n"
    }
}

extension Duration {
    /// In seconds, as JUnit writes it.
    fileprivate var text: String {
        let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
    }
}

extension String {
    /// As text or the value of an attribute. XML 1.0, section 2.2: most control characters cannot be written at all.
    fileprivate var xml: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\n": text += "&#10;"
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
