/// What a receiver of webhooks understands.
public enum WebhookFormat: String, Hashable, Sendable, CaseIterable {
    /// Standard Webhooks 1.0.0: JSON for programs, signed.
    case standard
    case slack
    /// A custom bot of Feishu or Lark.
    case feishu
    /// A group bot of WeCom.
    case wecom
    /// A custom bot of DingTalk.
    case dingtalk

    /// Between the end of one attempt and the beginning of the next, in seconds: Slack takes one message a second,
    /// Feishu 100 a minute, WeCom and DingTalk 20. DingTalk is silent for ten minutes afterwards.
    var pause: Int {
        switch self {
        case .standard: 0
        case .slack, .feishu: 1
        case .wecom, .dingtalk: 3
        }
    }

    /// How many messages that are due at once are sent each by itself. More go into one summary, or who reads them
    /// would hear of a decision long after its deadline.
    var mostSingle: Int {
        switch self {
        case .standard: .max
        case .slack, .feishu: 10
        case .wecom, .dingtalk: 1
        }
    }

    /// Whether messages are signed with a secret; Slack and WeCom have their secret in the address alone.
    public var takesSecret: Bool {
        switch self {
        case .standard, .feishu, .dingtalk: true
        case .slack, .wecom: false
        }
    }
}
