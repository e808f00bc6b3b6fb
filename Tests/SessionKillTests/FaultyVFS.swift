import CSQLite
import Foundation
import Synchronization

/// The VFS by which SQLite comes to a ``FaultyDisk`` (sqlite.org/vfs.html).
extension FaultyDisk {
    /// Whose turn it is: C functions capture nothing.
    fileprivate static let mounted = Mutex<FaultyDisk?>(nil)
    /// SQLite's own; a pointer that never changes and is only read.
    fileprivate nonisolated(unsafe) static let real = sqlite3_vfs_find(nil)
    /// Registered or not, it lives as long as the process.
    private nonisolated(unsafe) static let vfs = makeVFS()

    /// The name of the VFS that has no faults.
    static let realName = "unix"

    func mount() {
        Self.mounted.withLock { $0 = self }
        sqlite3_vfs_register(Self.vfs, 1)
    }

    func unmount() {
        sqlite3_vfs_unregister(Self.vfs)
        sqlite3_vfs_register(Self.real, 1)
        Self.mounted.withLock { $0 = nil }
    }
}

/// What SQLite has of an open file: this, and right behind it the real VFS's own.
private struct ShimFile {
    var methods: UnsafePointer<sqlite3_io_methods>?
    /// Retained from the opening to the closing.
    var file: Unmanaged<OpenFile>?

    /// Of the real file's place.
    static let size = MemoryLayout<ShimFile>.stride
}

private final class OpenFile {
    let disk: FaultyDisk
    let path: String
    let real: UnsafeMutablePointer<sqlite3_file>

    init(disk: FaultyDisk, path: String, real: UnsafeMutablePointer<sqlite3_file>) {
        self.disk = disk
        self.path = path
        self.real = real
    }

    var methods: sqlite3_io_methods { real.pointee.pMethods.pointee }
}

private func open(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile {
    let shim = UnsafeRawPointer(file!).assumingMemoryBound(to: ShimFile.self)
    return shim.pointee.file!.takeUnretainedValue()
}

private func makeVFS() -> UnsafeMutablePointer<sqlite3_vfs> {
    let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    // What is not replaced looks at nothing of the VFS that it is called with but what is copied here.
    vfs.initialize(to: FaultyDisk.real!.pointee)
    vfs.pointee.zName = UnsafePointer(strdup("faulty"))
    vfs.pointee.pNext = nil
    vfs.pointee.szOsFile += Int32(ShimFile.size)
    vfs.pointee.xOpen = { _, name, file, flags, outFlags in
        guard let file, let disk = FaultyDisk.mounted.withLock({ $0 }) else { return SQLITE_CANTOPEN }
        file.pointee.pMethods = nil
        let real = UnsafeMutableRawPointer(file).advanced(by: ShimFile.size).assumingMemoryBound(to: sqlite3_file.self)
        let path = name.map { String(cString: $0) } ?? ""
        if let error = disk.failure(of: .open) { return error }
        let before = path.isEmpty ? nil : FileManager.default.contents(atPath: path).map { [UInt8]($0) }
        let result = FaultyDisk.real!.pointee.xOpen(FaultyDisk.real, name, real, flags, outFlags)
        guard result == SQLITE_OK else { return result }
        if !path.isEmpty { disk.opened(path, hadContent: before) }
        let shim = UnsafeMutableRawPointer(file).assumingMemoryBound(to: ShimFile.self)
        shim.pointee.file = .passRetained(OpenFile(disk: disk, path: path, real: real))
        shim.pointee.methods = methods
        return SQLITE_OK
    }
    vfs.pointee.xDelete = { _, name, syncsFolder in
        guard let name, let disk = FaultyDisk.mounted.withLock({ $0 }) else { return SQLITE_IOERR }
        if let error = disk.failure(of: .delete) { return error }
        let result = FaultyDisk.real!.pointee.xDelete(FaultyDisk.real, name, 0)
        if result == SQLITE_OK { disk.deleted(String(cString: name), isSynced: syncsFolder != 0) }
        return result
    }
    return vfs
}

/// Read only; lives as long as the process.
private nonisolated(unsafe) let methods: UnsafePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: sqlite3_io_methods())
    // Shared memory, but no mapping of the database.
    methods.pointee.iVersion = 2
    methods.pointee.xClose = { file in
        let shim = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: ShimFile.self)
        let owned = shim.pointee.file!.takeRetainedValue()
        shim.pointee.methods = nil
        return owned.methods.xClose(owned.real)
    }
    methods.pointee.xRead = { file, buffer, count, offset in
        let file = open(file)
        return file.disk.isOff ? SQLITE_IOERR | 1 << 8 : file.methods.xRead(file.real, buffer, count, offset)
    }
    methods.pointee.xWrite = { file, buffer, count, offset in
        let file = open(file)
        if let error = file.disk.failure(of: .write) { return error }
        let result = file.methods.xWrite(file.real, buffer, count, offset)
        if result == SQLITE_OK {
            file.disk.wrote(
                Array(UnsafeRawBufferPointer(start: buffer, count: Int(count))), at: Int(offset), to: file.path)
        }
        return result
    }
    methods.pointee.xTruncate = { file, size in
        let file = open(file)
        if let error = file.disk.failure(of: .truncate) { return error }
        let result = file.methods.xTruncate(file.real, size)
        if result == SQLITE_OK { file.disk.truncated(file.path, to: Int(size)) }
        return result
    }
    // The real disk is not asked: what would be on it is known here.
    methods.pointee.xSync = { file, _ in
        let file = open(file)
        let error = file.disk.failure(of: .sync)
        file.disk.synced(file.path, successfully: error == nil)
        return error ?? SQLITE_OK
    }
    methods.pointee.xFileSize = { file, size in
        let file = open(file)
        return file.methods.xFileSize(file.real, size)
    }
    methods.pointee.xLock = { file, level in
        let file = open(file)
        return file.methods.xLock(file.real, level)
    }
    methods.pointee.xUnlock = { file, level in
        let file = open(file)
        return file.methods.xUnlock(file.real, level)
    }
    methods.pointee.xCheckReservedLock = { file, result in
        let file = open(file)
        return file.methods.xCheckReservedLock(file.real, result)
    }
    methods.pointee.xFileControl = { file, operation, argument in
        let file = open(file)
        return file.methods.xFileControl(file.real, operation, argument)
    }
    methods.pointee.xSectorSize = { file in
        let file = open(file)
        return file.methods.xSectorSize(file.real)
    }
    methods.pointee.xDeviceCharacteristics = { file in
        let file = open(file)
        return file.methods.xDeviceCharacteristics(file.real)
    }
    methods.pointee.xShmMap = { file, region, size, extends, memory in
        let file = open(file)
        if let error = file.disk.failure(of: .sharedMemoryMap) { return error }
        return file.methods.xShmMap(file.real, region, size, extends, memory)
    }
    methods.pointee.xShmLock = { file, offset, count, flags in
        let file = open(file)
        // What is unlocked stays so: SQLite does not ask whether that went well.
        if flags & SQLITE_SHM_UNLOCK == 0, let error = file.disk.failure(of: .sharedMemoryLock) { return error }
        return file.methods.xShmLock(file.real, offset, count, flags)
    }
    methods.pointee.xShmBarrier = { file in
        let file = open(file)
        file.methods.xShmBarrier(file.real)
    }
    methods.pointee.xShmUnmap = { file, deletes in
        let file = open(file)
        return file.methods.xShmUnmap(file.real, deletes)
    }
    return UnsafePointer(methods)
}()
