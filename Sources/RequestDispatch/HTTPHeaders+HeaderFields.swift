import HTTPServer
import RequestSigning

/// How ``RequestSigning`` sees them.
extension HTTPHeaders: HeaderFields {}
