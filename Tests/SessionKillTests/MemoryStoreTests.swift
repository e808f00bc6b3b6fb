import StoreContract
import XCTest

/// The store of this target's tests is worth what it has in common with a real one.
final class MemoryStoreTests: XCTestCase {
    func testKeepsTheContractOfAStore() async throws { try await StoreContract.check(self) { MemoryStore() } }
}
