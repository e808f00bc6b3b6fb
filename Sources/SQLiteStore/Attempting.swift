import SessionKill

/// Does `work`, and says of whatever stops it what could not be done.
///
/// - Parameter attempt: such as `store plan-7`: it follows "cannot".
/// - Throws: ``StoreError``, of the reason that SQLite's error has.
func attempting<Value>(
    _ attempt: @autoclosure () -> String, isolation: isolated (any Actor)? = #isolation,
    _ work: () async throws -> Value
) async throws(StoreError) -> Value {
    do {
        return try await work()
    } catch {
        throw StoreError(error, attempt: attempt())
    }
}

/// The same of work that waits for nothing.
func attempting<Value>(
    _ attempt: @autoclosure () -> String, _ work: () throws -> Value
) throws(StoreError) -> Value {
    do {
        return try work()
    } catch {
        throw StoreError(error, attempt: attempt())
    }
}
