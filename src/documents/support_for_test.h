#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "documents/documents.h"
#include "documents/documents_client.h"
#include "documents/encrypted_file.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "keeper/keeper.h"

namespace cloison::documents {

/// The local file system, which can be told to refuse writing, syncing or removing.
class RefusingFileSystem final : public FileSystem {
  public:
    enum class Refuse { kNothing, kCreate, kWrite, kSync, kRemove };
    Refuse refuse = Refuse::kNothing;
    std::uint64_t room = 0;  ///< With kWrite: bytes of a file that still fit.

    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        if (create && refuse == Refuse::kCreate) return full();
        CLOISON_TRY(auto file, real_.open(path, create));
        return std::make_unique<RefusingFile>(std::move(file), *this);
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        return real_.read_file(path, max_size);
    }
    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        return real_.write_file_atomically(path, data, mode);
    }
    Status create_directories(const Path& path) override { return real_.create_directories(path); }
    Status sync_directory(const Path& path) override { return real_.sync_directory(path); }
    Status forget_times(const Path& path) override { return real_.forget_times(path); }
    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& path) override {
        return real_.begin_sync(path);
    }
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        return real_.lock_file(path);
    }
    Status remove(const Path& path) override {
        if (refuse == Refuse::kRemove) return full();
        return real_.remove(path);
    }
    Result<bool> exists(const Path& path) override { return real_.exists(path); }
    Result<std::vector<std::string>> list(const Path& directory) override {
        return real_.list(directory);
    }
    Result<unsigned> mode(const Path& path) override { return real_.mode(path); }

  private:
    static tl::unexpected<Error> full() { return fail(ErrorCode::kIo, "The disk is full."); }

    class RefusingFile final : public File {
      public:
        RefusingFile(std::unique_ptr<File> file, RefusingFileSystem& owner)
            : file_(std::move(file)), owner_(owner) {}
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return file_->read_at(offset, out);
        }
        Status write_at(std::uint64_t offset, ByteView data) override {
            if (owner_.refuse == Refuse::kWrite && offset + data.size() > owner_.room)
                return full();
            return file_->write_at(offset, data);
        }
        Status truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() override { return file_->size(); }
        Status sync_data() override {
            if (owner_.refuse == Refuse::kSync) return full();
            return file_->sync_data();
        }

      private:
        std::unique_ptr<File> file_;
        RefusingFileSystem& owner_;
    };

    FileSystem& real_ = local_file_system();
};

/// Documents beside a keeper, both real and in this process, with identity's key to sign grants.
class DocumentsBed : public testing::Test {
  protected:
    struct Person {
        std::array<std::uint8_t, 16> identity{};
    };

    void SetUp() override {
        register_ = *registry::Registry::load(local_file_system(),
                                              Path(CLOISON_SOURCE_DIR) / "registry/fields.toml");
        ASSERT_TRUE(keeper::create_keeper_directory(local_file_system(), path("keeper"), random_));
        ASSERT_TRUE(create_documents_directory(local_file_system(), path("documents"), random_));
        keeper::Keeper::Options options;
        options.directory = path("keeper");
        auto opened = keeper::Keeper::open(options, register_, identity_.verify_key(),
                                           local_file_system(), clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message;
        keeper_ = std::move(*opened);
        start();
    }
    void start() {
        documents_.reset();
        auto opened = Documents::open({path("documents")}, identity_.verify_key(),
                                      keeper_as("documents"), files_, clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message;
        documents_ = std::move(*opened);
    }

    Path path(const std::string& name) const { return directory_.path() / name; }
    keeper::KeeperClient keeper_as(const std::string& caller) const {
        return keeper::KeeperClient(net::local_rpc(keeper_->service(), caller));
    }
    DocumentsClient as(const std::string& caller) const {
        return DocumentsClient(net::local_rpc(documents_->service(), caller));
    }
    DocumentsClient portal() const { return as("portal"); }
    DocumentsClient desk() const { return as("desk"); }

    Person enroll() {
        keeper::v1::EnrollRequest request;
        request.set_count(1);
        const auto enrolled = keeper_as("portal").enroll(request);
        EXPECT_TRUE(enrolled);
        keeper::v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(enrolled->enrolments(0));
        const auto resolved = keeper_as("identity").resolve(resolve);
        EXPECT_TRUE(resolved);
        Person person;
        std::copy_n(resolved->pseudonym().begin(), 16, person.identity.begin());
        return person;
    }

    keeper::Grant base_grant(registry::Role role, const std::string& door,
                             const std::string& purpose, const std::string& reason) {
        keeper::Grant grant;
        grant.id = ActorId::random(random_).hex();
        grant.actor = ActorId::random(random_);
        grant.role = role;
        grant.session = SessionId::random(random_);
        grant.door = door;
        grant.origin = "203.0.113.5";
        grant.purpose = purpose;
        grant.reason = reason;
        grant.fields = {"document_content", "document_name"};
        grant.issued = clock_.now();
        grant.expires = clock_.now() + Duration(300'000);
        return grant;
    }
    std::string sign(const keeper::Grant& grant) const {
        return keeper::sign_grant(identity_, grant);
    }
    std::string casework_pseudonym(const Person& person) {
        keeper::v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_grant(sign(self_grant(person)));
        return keeper_as("casework").resolve(resolve)->pseudonym();
    }
    /// As casework makes it for a ticket.
    Bytes case_handle(const Person& person, const RequestId& request) {
        keeper::HandleContent content{registry::Compartment::kCasework, {}, request};
        const std::string pseudonym = casework_pseudonym(person);
        std::copy_n(pseudonym.begin(), 16, content.pseudonym.begin());
        return keeper::make_handle(keeper_->handle_key(), content);
    }
    keeper::Grant self_grant(const Person& person) {
        auto grant = base_grant(registry::Role::kResident, "portal", "self_service", "");
        grant.person = keeper::make_handle(keeper_->handle_key(),
                                           {registry::Compartment::kIdentity, person.identity, {}});
        return grant;
    }
    keeper::Grant self_grant(const Person& person, const RequestId& request) {
        auto grant = self_grant(person);
        grant.case_handle = case_handle(person, request);
        return grant;
    }
    keeper::Grant officer_grant(const Person& person, const RequestId& request) {
        auto grant =
            base_grant(registry::Role::kOfficer, "desk", "process_request", "document_check");
        grant.case_handle = case_handle(person, request);
        return grant;
    }
    /// The person's own grant that names the case.
    std::string own(const Person& person, const RequestId& request) {
        return sign(self_grant(person, request));
    }
    RequestId new_request() { return RequestId::random(random_); }

    std::string seal(const std::string& grant, const std::string& field, const std::string& record,
                     ByteView value) {
        keeper::v1::SealRequest request;
        request.mutable_subject()->set_grant(grant);
        auto& item = *request.add_items();
        item.set_field(field);
        item.set_record(record);
        item.set_value(to_string(value));
        item.set_schema_version(1);
        const auto sealed = keeper_as("portal").seal(request);
        EXPECT_TRUE(sealed) << (sealed ? "" : sealed.error().message);
        return sealed ? sealed->sealed(0) : std::string();
    }

    /// A file on its way: what the portal does.
    struct Sending {
        std::string grant;
        std::string id;
        std::vector<Bytes> chunks;
        v1::BeginRequest begin;
    };
    Sending prepare(const std::string& grant, ByteView file) {
        Sending sending{grant, DocumentId::random(random_).bytes(), {}, {}};
        const auto key = crypto::FileKey::random(random_);
        FileEncryptor encryptor(key);
        sending.chunks = *encryptor.feed(file);
        const auto rest = encryptor.finish();
        sending.chunks.insert(sending.chunks.end(), rest->begin(), rest->end());
        sending.begin.set_grant(grant);
        sending.begin.set_document(sending.id);
        sending.begin.set_sealed_key(seal(grant, "document_content", sending.id, key.view()));
        sending.begin.set_sealed_name(
            seal(grant, "document_name", sending.id, as_bytes("Plaintextmarker.pdf")));
        sending.begin.set_header(to_string(encryptor.header()));
        sending.begin.set_content_type("application/pdf");
        sending.begin.set_kind("address_proof");
        return sending;
    }
    Result<v1::AppendResponse> append(const Sending& sending, std::uint32_t index, ByteView chunk) {
        v1::AppendRequest request;
        request.set_grant(sending.grant);
        request.set_document(sending.id);
        request.set_index(index);
        request.set_chunk(to_string(chunk));
        return portal().append(request);
    }
    Result<v1::FinishResponse> finish(const Sending& sending, std::uint32_t chunks) {
        v1::FinishRequest request;
        request.set_grant(sending.grant);
        request.set_document(sending.id);
        request.set_chunks(chunks);
        request.set_scanned(true);
        return portal().finish(request);
    }
    Status send(const Sending& sending) {
        CLOISON_TRY_STATUS(portal().begin(sending.begin));
        for (std::size_t i = 0; i < sending.chunks.size(); ++i)
            CLOISON_TRY_STATUS(append(sending, static_cast<std::uint32_t>(i), sending.chunks[i]));
        CLOISON_TRY_STATUS(finish(sending, static_cast<std::uint32_t>(sending.chunks.size())));
        return {};
    }
    std::string upload(const std::string& grant, ByteView file) {
        const Sending sending = prepare(grant, file);
        const auto sent = send(sending);
        EXPECT_TRUE(sent) << (sent ? "" : sent.error().message);
        return sending.id;
    }
    std::string upload(const std::string& grant) {
        return upload(grant, as_bytes("%PDF-1.7 Plaintextmarker"));
    }

    Result<v1::ListResponse> try_list(const std::string& door, const std::string& grant) {
        v1::ListRequest request;
        request.set_grant(grant);
        return as(door).list(request);
    }
    std::vector<std::string> list(const std::string& door, const std::string& grant) {
        const auto listed = try_list(door, grant);
        EXPECT_TRUE(listed) << (listed ? "" : listed.error().message);
        std::vector<std::string> ids;
        if (listed)
            for (const auto& document : listed->documents()) ids.push_back(document.document());
        std::sort(ids.begin(), ids.end());
        return ids;
    }
    Result<v1::ReadResponse> read(const std::string& door, const std::string& grant,
                                  const std::string& id, std::uint32_t index) {
        v1::ReadRequest request;
        request.set_grant(grant);
        request.set_document(id);
        request.set_index(index);
        return as(door).read(request);
    }
    Result<v1::RemoveResponse> remove(const std::string& grant, const std::string& id) {
        v1::RemoveRequest request;
        request.set_grant(grant);
        request.set_document(id);
        return portal().remove(request);
    }
    /// Files with ciphertext in the store.
    std::size_t objects() const {
        std::size_t count = 0;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(path("documents") / "objects"))
            count += entry.is_regular_file() ? 1 : 0;
        return count;
    }
    /// All bytes of the store that a thief reads.
    std::string stolen() const {
        std::string bytes;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path("documents"))) {
            if (!entry.is_regular_file() || entry.path().extension() == ".key") continue;
            bytes += entry.path().string();
            bytes += to_string(*local_file_system().read_file(entry.path(), 1 << 26));
        }
        return bytes;
    }

    template <class T>
    static Error error_of(const Result<T>& result) {
        return result ? Error{ErrorCode::kInternal, "no error"} : result.error();
    }

    TemporaryDirectory directory_;
    ManualClock clock_{from_unix_ms(1'776'072'754'321)};
    SeededRandom random_{11};
    crypto::SigningKey identity_ = crypto::SigningKey::from_seed(Bytes(32, 9));
    RefusingFileSystem files_;
    registry::Registry register_;
    std::unique_ptr<keeper::Keeper> keeper_;
    std::unique_ptr<Documents> documents_;
};

}  // namespace cloison::documents
