// A backup of the keeper. The first byte says what the input is: 'a' is a list of files, which are
// archived, then a cut and changes to the archive; 's' is the plaintext of an archive in any form,
// under good encryption; 'm' and 'e' are the manifests of an archive and of its keys; anything else
// is an archive as it is. Beyond not crashing: an archive that was changed is refused, one that was
// not gives the files that were put in; no name leads out of its directory; no more comes out than
// went in; a manifest that is read is written and read the same again.
#include <algorithm>

#include "base/seeded_random.h"
#include "crypto/keys.h"
#include "crypto/pae.h"
#include "journal/simulated_disk_for_test.h"
#include "keeper/backup_archive.h"
#include "keeper/backup_manifest.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

const Path kArchive = "/backup/keeper.backup";

const crypto::SealedBoxKeyPair& recovery() {
    static const auto keys = [] {
        crypto::initialize();
        return crypto::SealedBoxKeyPair::from_seed(Bytes(32, 6));
    }();
    return keys;
}

const crypto::SigningKey& journal_key() {
    static const auto key = crypto::SigningKey::from_seed(Bytes(32, 1));
    return key;
}

struct Archived {
    std::string name;
    Bytes content;
    bool operator==(const Archived&) const = default;
};

/// Takes what comes out and checks how it comes.
class Collector : public keeper::ArchiveSink {
  public:
    Status begin(const std::string& name, std::uint64_t size) override {
        require(!open_, "files do not overlap");
        const Path path(name);
        require(!name.empty() && !path.is_absolute(), "a name is below the directory");
        for (const Path& part : path) require(part != ".." && part != ".", "a name leads nowhere");
        const Path inside = (Path("/base") / path).lexically_normal();
        require(inside.string().starts_with("/base/"), "a name stays inside");
        files_.push_back({name, {}});
        left_ = size;
        open_ = true;
        return {};
    }
    Status take(ByteView piece) override {
        require(open_ && piece.size() <= left_, "a file is as long as it says");
        left_ -= piece.size();
        auto& content = files_.back().content;
        content.insert(content.end(), piece.begin(), piece.end());
        return {};
    }
    Status end() override {
        require(open_ && left_ == 0, "a file is as long as it says");
        open_ = false;
        return {};
    }
    const std::vector<Archived>& files() const { return files_; }

  private:
    std::vector<Archived> files_;
    std::uint64_t left_ = 0;
    bool open_ = false;
};

/// What an archive holds, if it is whole and signed by the journal.
bool read(ByteView archive, std::vector<Archived>& found) {
    journal::SimulatedDisk disk;
    require(disk.write_file_atomically(kArchive, archive, 0600).has_value(), "a disk has room");
    Collector collector;
    const auto signature = keeper::read_archive(disk, kArchive, recovery(), collector);
    std::size_t bytes = 0;
    for (const auto& file : collector.files()) bytes += file.name.size() + file.content.size();
    require(bytes <= archive.size(), "no more comes out than went in");
    found = collector.files();
    return signature && signature->check(journal_key().verify_key());
}

Bytes make_archive(const std::vector<Archived>& files) {
    journal::SimulatedDisk disk;
    SeededRandom random(1);
    auto writer = *keeper::ArchiveWriter::create(disk, kArchive, recovery().public_key(), random);
    for (const auto& file : files)
        require(writer.add(file.name, file.content).has_value(), "a file is archived");
    require(writer.finish(journal_key()).has_value(), "an archive is finished");
    return *disk.read_file(kArchive, 1 << 24);
}

bool run_archive(Input& in) {
    std::vector<Archived> files(in.byte() % 4);
    for (auto& file : files) {
        // Any name that is safe; others are for the plaintext.
        file.name = "f" + hex_encode(in.take(4));
        file.content = to_bytes(in.sized());
    }
    Bytes archive = make_archive(files);
    const std::size_t cut = in.u16();
    archive.resize(archive.size() - std::min(cut, archive.size()));
    const bool changed = alter(archive, in) || cut > 0;
    std::vector<Archived> found;
    const bool good = read(archive, found);
    require(good != changed, "an archive is read exactly if it is whole");
    require(!good || found == files, "an archive holds what was put in");
    return good;
}

bool run_plaintext(ByteView plaintext) {
    const auto key = *crypto::FileKey::from_bytes(Bytes(32, 2));
    crypto::StreamEncryptor encryptor(key);
    const Bytes box = crypto::sealed_box(recovery().public_key(), key.view());
    const Bytes sealed =
        encryptor.encrypt(plaintext.first(std::min(plaintext.size(), crypto::kStreamChunkSize)),
                          /*last=*/true);
    std::vector<Archived> found;
    return read(join({as_bytes("cloison-backup v1\n"), box, encryptor.header(), sealed}), found);
}

bool run_manifest(std::string_view text, keeper::ManifestKind kind) {
    const auto manifest = keeper::BackupManifest::parse(text, kind);
    if (!manifest) return false;
    const std::string written = manifest->json(kind);
    const auto again = keeper::BackupManifest::parse(written, kind);
    require(again && again->json(kind) == written, "a manifest is written and read the same");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    switch (in.byte()) {
        case 'a':
            return run_archive(in);
        case 's':
            return run_plaintext(in.rest());
        case 'm':
            return run_manifest(as_text(in.rest()), keeper::ManifestKind::kKeeper);
        case 'e':
            return run_manifest(as_text(in.rest()), keeper::ManifestKind::kEscrow);
        default: {
            std::vector<Archived> found;
            return read(input, found);
        }
    }
}

std::vector<Seed> seeds() {
    Bytes two{'a', 2, 1, 2, 3, 4};
    put_sized(two, "content");
    two.insert(two.end(), {5, 6, 7, 8, 0, 0, 0, 0});
    keeper::BackupManifest manifest;
    manifest.time = from_unix_ms(1'776'000'000'000);
    manifest.origin = "example.org/keeper";
    manifest.entries = 7;
    // The records of an archive and what they are signed with.
    Bytes records;
    put_sized(records, "d/name");
    put_u64(records, 3);
    records.insert(records.end(), {'a', 'b', 'c'});
    const crypto::Hash digest = crypto::sha256({records});
    const auto signature =
        journal_key().sign(crypto::pre_auth_encode({as_bytes("cloison/backup/v1"), digest}));
    return {{"two-files", two},
            {"plaintext", join({Bytes{'s'}, records, Bytes(2), signature})},
            {"manifest", to_bytes('m' + manifest.json(keeper::ManifestKind::kKeeper))},
            {"keys-manifest", to_bytes('e' + manifest.json(keeper::ManifestKind::kEscrow))}};
}

const Registration registration({"backup", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
