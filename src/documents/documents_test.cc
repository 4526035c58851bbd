#include "documents/documents.h"

#include <algorithm>
#include <set>
#include <thread>

#include "documents/documents_schema.h"
#include "documents/support_for_test.h"
#include "storage/database.h"

namespace cloison::documents {
namespace {

class DocumentsTest : public DocumentsBed {
  protected:
    using Refuse = RefusingFileSystem::Refuse;

    Bytes noise(std::size_t size) {
        Bytes bytes(size);
        random_.fill(bytes);
        return bytes;
    }
};

TEST_F(DocumentsTest, EveryMethodHasAHandler) {
    EXPECT_TRUE(documents_->service()->missing().empty());
}

TEST_F(DocumentsTest, UploadedFileReadsBackForPersonAndOfficer) {
    const Person person = enroll();
    const RequestId request = new_request();
    const Bytes file = noise(300'000);
    const std::string id = upload(own(person, request), file);
    const auto listed = try_list("desk", sign(officer_grant(person, request)));
    ASSERT_TRUE(listed) << listed.error().message;
    ASSERT_EQ(listed->documents_size(), 1);
    const auto& document = listed->documents(0);
    EXPECT_EQ(document.document(), id);
    EXPECT_EQ(document.content_type(), "application/pdf");
    EXPECT_EQ(document.kind(), "address_proof");
    EXPECT_TRUE(document.scanned());
    EXPECT_EQ(document.added_ms() % 86'400'000, 0);

    keeper::v1::OpenRequest open;
    auto& disclosure = *open.add_disclosures();
    disclosure.set_grant(sign(officer_grant(person, request)));
    auto& item = *disclosure.add_items();
    item.set_field("document_content");
    item.set_record(id);
    item.set_sealed(document.sealed_key());
    item.set_schema_version(1);
    const auto opened = keeper_as("desk").open(open);
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ(opened->disclosed(0).values_size(), 1) << opened->disclosed(0).error_message();
    const auto key = crypto::FileKey::from_bytes(as_bytes(opened->disclosed(0).values(0)));
    ASSERT_TRUE(key);

    for (const char* door : {"desk", "portal"}) {
        const std::string grant = std::string(door) == "desk" ? sign(officer_grant(person, request))
                                                              : own(person, request);
        auto decryptor = FileDecryptor::create(*key, as_bytes(document.header()));
        ASSERT_TRUE(decryptor);
        Bytes back;
        for (std::uint32_t i = 0; i < document.chunks(); ++i) {
            const auto chunk = read(door, grant, id, i);
            ASSERT_TRUE(chunk) << chunk.error().message;
            const auto part = decryptor->feed(as_bytes(chunk->chunk()));
            ASSERT_TRUE(part) << part.error().message;
            back.insert(back.end(), part->view().begin(), part->view().end());
        }
        EXPECT_TRUE(decryptor->finish());
        EXPECT_EQ(back, file);
        EXPECT_EQ(error_of(read(door, grant, id, document.chunks())).code,
                  ErrorCode::kInvalidArgument);
    }
}

TEST_F(DocumentsTest, ListsKeepToThePersonAndTheCase) {
    const Person person = enroll();
    const Person stranger = enroll();
    const RequestId first = new_request();
    const RequestId second = new_request();
    const std::string one = upload(own(person, first));
    const std::string two = upload(own(person, second));
    const std::string other = upload(own(stranger, new_request()));
    EXPECT_EQ(list("portal", own(person, first)), std::vector<std::string>{one});
    std::vector<std::string> both{one, two};
    std::sort(both.begin(), both.end());
    EXPECT_EQ(list("portal", sign(self_grant(person))), both);
    EXPECT_EQ(list("portal", sign(self_grant(stranger))), std::vector<std::string>{other});
    EXPECT_EQ(list("desk", sign(officer_grant(person, second))), std::vector<std::string>{two});
}

TEST_F(DocumentsTest, SomebodyElsesIsTheSameAnswerAsNone) {
    const Person person = enroll();
    const Person stranger = enroll();
    const RequestId request = new_request();
    const RequestId other_case = new_request();
    const std::string id = upload(own(person, request));
    const Sending unfinished = prepare(own(person, request), as_bytes("x"));
    ASSERT_TRUE(portal().begin(unfinished.begin));
    ASSERT_TRUE(append(unfinished, 0, unfinished.chunks[0]));
    const std::string unknown = DocumentId::random(random_).bytes();

    const auto answers = [&](const std::string& grant, const std::string& officer,
                             const std::string& document) {
        std::vector<std::string> all;
        const auto note = [&](const auto& result) {
            all.push_back(result ? "success"
                                 : std::string(error_name(result.error().code)) + ' ' +
                                       result.error().message);
        };
        note(read("portal", grant, document, 0));
        note(read("desk", officer, document, 0));
        note(remove(grant, document));
        Sending sending = unfinished;
        sending.grant = grant;
        sending.id = document;
        note(append(sending, 1, Bytes(100)));
        note(finish(sending, 1));
        v1::AbortRequest abort;
        abort.set_grant(grant);
        abort.set_document(document);
        note(portal().abort(abort));
        return all;
    };
    const auto of_unknown =
        answers(own(stranger, request), sign(officer_grant(stranger, request)), unknown);
    EXPECT_EQ(of_unknown, std::vector<std::string>(6, of_unknown.front()));
    EXPECT_TRUE(of_unknown.front().starts_with("not found ")) << of_unknown.front();
    for (const std::string& document : {id, unfinished.id}) {
        EXPECT_EQ(answers(own(stranger, request), sign(officer_grant(stranger, request)), document),
                  of_unknown);
        EXPECT_EQ(
            answers(own(stranger, other_case), sign(officer_grant(stranger, other_case)), document),
            of_unknown);
        // The right person, but the grant names another case.
        EXPECT_EQ(
            answers(own(person, other_case), sign(officer_grant(person, other_case)), document),
            of_unknown);
    }
    EXPECT_TRUE(read("portal", own(person, request), id, 0));
    EXPECT_TRUE(finish(unfinished, 1));
}

TEST_F(DocumentsTest, NobodyReadsBeforeFinish) {
    const Person person = enroll();
    const RequestId request = new_request();
    const std::string grant = own(person, request);
    const Sending sending = prepare(grant, noise(100'000));
    ASSERT_TRUE(portal().begin(sending.begin));
    for (std::uint32_t i = 0; i < sending.chunks.size(); ++i) {
        ASSERT_TRUE(append(sending, i, sending.chunks[i]));
        EXPECT_TRUE(list("portal", grant).empty());
        EXPECT_EQ(error_of(read("portal", grant, sending.id, 0)).code, ErrorCode::kNotFound);
        EXPECT_EQ(error_of(read("desk", sign(officer_grant(person, request)), sending.id, 0)).code,
                  ErrorCode::kNotFound);
    }
    ASSERT_TRUE(finish(sending, static_cast<std::uint32_t>(sending.chunks.size())));
    EXPECT_EQ(list("portal", grant).size(), 1U);
    EXPECT_EQ(error_of(append(sending, 2, Bytes(100))).code, ErrorCode::kNotFound);
    EXPECT_EQ(error_of(finish(sending, 2)).code, ErrorCode::kNotFound);
}

TEST_F(DocumentsTest, GrantsOfAnotherKindAreRefused) {
    const Person person = enroll();
    const RequestId request = new_request();
    const Sending sending = prepare(own(person, request), as_bytes("x"));
    const auto begin_with = [&](const keeper::Grant& grant) {
        auto begin = sending.begin;
        begin.set_grant(sign(grant));
        return error_of(portal().begin(begin)).code;
    };
    EXPECT_EQ(begin_with(self_grant(person)), ErrorCode::kPermissionDenied);
    auto grant = self_grant(person, request);
    grant.door = "desk";
    EXPECT_EQ(begin_with(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person, request);
    grant.person.clear();
    EXPECT_EQ(begin_with(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person, request);
    grant.expires = clock_.now();
    EXPECT_EQ(begin_with(grant), ErrorCode::kUnauthenticated);

    auto officer = officer_grant(person, request);
    EXPECT_TRUE(try_list("desk", sign(officer)));
    officer.case_handle.clear();
    EXPECT_EQ(error_of(try_list("desk", sign(officer))).code, ErrorCode::kPermissionDenied);
    officer = officer_grant(person, request);
    officer.role = registry::Role::kSupport;
    EXPECT_EQ(error_of(try_list("desk", sign(officer))).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(error_of(try_list("portal", sign(officer_grant(person, request)))).code,
              ErrorCode::kPermissionDenied);
    EXPECT_EQ(error_of(desk().begin(sending.begin)).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(error_of(as("casework").list({})).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(objects(), 0U);
}

TEST_F(DocumentsTest, MalformedDescriptionsAreRefused) {
    const Person person = enroll();
    const Sending good = prepare(own(person, new_request()), as_bytes("x"));
    const auto code_after = [&](auto change) {
        auto begin = good.begin;
        change(begin);
        return error_of(portal().begin(begin)).code;
    };
    EXPECT_EQ(code_after([](auto& b) { b.set_document("short"); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_after([](auto& b) { b.set_sealed_key("0123"); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_after([](auto& b) { b.set_sealed_key(std::string(1025, '\1')); }),
              ErrorCode::kTooLarge);
    EXPECT_EQ(code_after([](auto& b) { b.set_sealed_name("name.pdf"); }),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_after([](auto& b) { b.set_sealed_name(std::string(2049, '\1')); }),
              ErrorCode::kTooLarge);
    EXPECT_EQ(code_after([](auto& b) { b.set_header(std::string(23, 'h')); }),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_after([](auto& b) { b.set_content_type("text/html"); }),
              ErrorCode::kInvalidArgument);
    for (const std::string& kind : {std::string(), std::string("../etc"), std::string(41, 'k')})
        EXPECT_EQ(code_after([&](auto& b) { b.set_kind(kind); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(objects(), 0U);
    EXPECT_TRUE(portal().begin(good.begin));
    EXPECT_EQ(error_of(portal().begin(good.begin)).code, ErrorCode::kConflict);
}

TEST_F(DocumentsTest, ChunksComeInOrderAndWithinBounds) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    const Sending sending = prepare(grant, noise(200'000));
    ASSERT_GE(sending.chunks.size(), 3U);
    ASSERT_TRUE(portal().begin(sending.begin));
    EXPECT_EQ(error_of(append(sending, 1, sending.chunks[1])).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of(append(sending, 0, Bytes(17))).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of(append(sending, 0, Bytes(kMaxChunkSize + 1))).code, ErrorCode::kTooLarge);
    ASSERT_TRUE(append(sending, 0, sending.chunks[0]));
    EXPECT_EQ(error_of(append(sending, 0, sending.chunks[0])).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of(append(sending, 2, sending.chunks[2])).code, ErrorCode::kInvalidArgument);
    ASSERT_TRUE(append(sending, 1, Bytes(1000)));
    EXPECT_EQ(error_of(append(sending, 2, sending.chunks[2])).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of(finish(sending, 1)).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of(finish(sending, 0)).code, ErrorCode::kInvalidArgument);
    // 65,536 + 983 bytes are no class of length.
    EXPECT_EQ(error_of(finish(sending, 2)).code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(list("portal", grant).empty());
}

TEST_F(DocumentsTest, LargestDocumentFitsAndNoChunkMore) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    const Sending sending = prepare(grant, Bytes(kMaxDocumentSize, 'x'));
    ASSERT_EQ(sending.chunks.size(), kMaxDocumentChunks);
    ASSERT_TRUE(portal().begin(sending.begin));
    for (std::uint32_t i = 0; i < kMaxDocumentChunks; ++i)
        ASSERT_TRUE(append(sending, i, sending.chunks[i]));
    EXPECT_EQ(error_of(append(sending, kMaxDocumentChunks, Bytes(100))).code, ErrorCode::kTooLarge);
    ASSERT_TRUE(finish(sending, kMaxDocumentChunks));
    EXPECT_EQ(read("portal", grant, sending.id, kMaxDocumentChunks - 1)->chunk(),
              to_string(sending.chunks.back()));
}

TEST_F(DocumentsTest, CaseHasAtMostTwentyDocuments) {
    const Person person = enroll();
    const RequestId request = new_request();
    for (int i = 0; i < kMaxDocumentsPerCase; ++i) upload(own(person, request));
    const Sending one_more = prepare(own(person, request), as_bytes("x"));
    EXPECT_EQ(error_of(portal().begin(one_more.begin)).code, ErrorCode::kExhausted);
    EXPECT_EQ(objects(), static_cast<std::size_t>(kMaxDocumentsPerCase));
    upload(own(person, new_request()));
    ASSERT_TRUE(remove(own(person, request), list("portal", own(person, request)).front()));
    EXPECT_TRUE(send(one_more));
}

TEST_F(DocumentsTest, UploadsUnderWayAreBounded) {
    std::vector<Person> people;
    for (std::size_t i = 0; i < kMaxUploads / kMaxDocumentsPerCase + 1; ++i)
        people.push_back(enroll());
    const RequestId request = new_request();
    std::vector<Sending> under_way;
    for (std::size_t i = 0; i < kMaxUploads; ++i) {
        under_way.push_back(prepare(own(people[i / kMaxDocumentsPerCase], request), as_bytes("x")));
        ASSERT_TRUE(portal().begin(under_way.back().begin)) << i;
    }
    const Sending one_more = prepare(own(people.back(), new_request()), as_bytes("x"));
    EXPECT_EQ(error_of(portal().begin(one_more.begin)).code, ErrorCode::kUnavailable);
    v1::AbortRequest abort;
    abort.set_grant(under_way.front().grant);
    abort.set_document(under_way.front().id);
    ASSERT_TRUE(portal().abort(abort));
    EXPECT_TRUE(send(one_more));
}

TEST_F(DocumentsTest, AbortedUploadLeavesNothing) {
    const Person person = enroll();
    const Sending sending = prepare(own(person, new_request()), as_bytes("x"));
    ASSERT_TRUE(portal().begin(sending.begin));
    ASSERT_TRUE(append(sending, 0, sending.chunks[0]));
    EXPECT_EQ(objects(), 1U);
    v1::AbortRequest abort;
    abort.set_grant(sending.grant);
    abort.set_document(sending.id);
    ASSERT_TRUE(portal().abort(abort));
    EXPECT_EQ(objects(), 0U);
    EXPECT_EQ(error_of(finish(sending, 1)).code, ErrorCode::kNotFound);
    EXPECT_TRUE(send(sending));
}

TEST_F(DocumentsTest, UploadThatStallsForAnHourIsRemovedAtTheNextBegin) {
    const Person person = enroll();
    const RequestId request = new_request();
    const Sending slow = prepare(own(person, request), as_bytes("x"));
    ASSERT_TRUE(portal().begin(slow.begin));
    clock_.advance(kUploadLifetime - Duration(1));
    Sending next = prepare(own(person, request), as_bytes("x"));
    ASSERT_TRUE(send(next));
    EXPECT_EQ(objects(), 2U);
    clock_.advance(Duration(1));
    next = prepare(own(person, request), as_bytes("x"));
    ASSERT_TRUE(send(next));
    EXPECT_EQ(objects(), 2U);
    Sending resumed = slow;
    resumed.grant = own(person, request);
    EXPECT_EQ(error_of(append(resumed, 0, slow.chunks[0])).code, ErrorCode::kNotFound);
}

TEST_F(DocumentsTest, RestartKeepsFinishedDocumentsAndRemovesTheOthers) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    const std::string kept = upload(grant);
    const Sending interrupted = prepare(grant, noise(100'000));
    ASSERT_TRUE(portal().begin(interrupted.begin));
    ASSERT_TRUE(append(interrupted, 0, interrupted.chunks[0]));
    EXPECT_EQ(objects(), 2U);
    start();
    EXPECT_EQ(objects(), 1U);
    EXPECT_EQ(list("portal", grant), std::vector<std::string>{kept});
    EXPECT_TRUE(read("portal", grant, kept, 0));
    EXPECT_EQ(error_of(append(interrupted, 1, interrupted.chunks[1])).code, ErrorCode::kNotFound);
    EXPECT_TRUE(send(interrupted));
}

TEST_F(DocumentsTest, FullDiskIsAnErrorAndLeavesNothingReadable) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    for (const Refuse refuse : {Refuse::kCreate, Refuse::kWrite, Refuse::kSync}) {
        const Sending sending = prepare(grant, noise(200'000));
        files_.refuse = refuse;
        files_.room = 100'000;
        EXPECT_EQ(error_of(send(sending)).code, ErrorCode::kIo) << static_cast<int>(refuse);
        files_.refuse = Refuse::kNothing;
        EXPECT_TRUE(list("portal", grant).empty());
        EXPECT_EQ(objects(), 0U);
        EXPECT_EQ(error_of(finish(sending, 1)).code, ErrorCode::kNotFound);
        EXPECT_TRUE(send(sending));
        ASSERT_TRUE(remove(grant, sending.id));
    }
}

TEST_F(DocumentsTest, RemovedDocumentIsGoneEvenIfItsFileCannotBeRemovedYet) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    const std::string id = upload(grant);
    files_.refuse = Refuse::kRemove;
    ASSERT_TRUE(remove(grant, id));
    EXPECT_TRUE(list("portal", grant).empty());
    EXPECT_EQ(error_of(read("portal", grant, id, 0)).code, ErrorCode::kNotFound);
    EXPECT_EQ(objects(), 1U);
    files_.refuse = Refuse::kNothing;
    start();
    EXPECT_EQ(objects(), 0U);
    EXPECT_EQ(error_of(remove(grant, id)).code, ErrorCode::kNotFound);
}

TEST_F(DocumentsTest, ShortenedFileIsCorrupt) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    const std::string id = upload(grant);
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path("documents") / "objects"))
        if (entry.is_regular_file()) std::filesystem::resize_file(entry.path(), 100);
    EXPECT_EQ(error_of(read("portal", grant, id, 0)).code, ErrorCode::kCorrupt);
}

TEST_F(DocumentsTest, UploadsOfSeveralThreadsDoNotMix) {
    constexpr int kThreads = 4;
    std::vector<Sending> sendings;
    for (int i = 0; i < kThreads; ++i)
        sendings.push_back(prepare(own(enroll(), new_request()), noise(400'000)));
    std::vector<std::thread> threads;
    std::atomic<int> sent = 0;
    for (const Sending& sending : sendings)
        threads.emplace_back([&] { sent += send(sending) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(sent.load(), kThreads);
    for (const Sending& sending : sendings)
        for (std::uint32_t i = 0; i < sending.chunks.size(); ++i)
            EXPECT_EQ(read("portal", sending.grant, sending.id, i)->chunk(),
                      to_string(sending.chunks[i]));
}

TEST_F(DocumentsTest, StolenStoreHoldsNoPlaintextAndNoForeignId) {
    const Person person = enroll();
    const RequestId request = new_request();
    upload(own(person, request));
    const std::string bytes = stolen();
    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_grant(own(person, request));
    const auto resolved = keeper_as("documents").resolve(resolve);
    ASSERT_TRUE(resolved);
    EXPECT_EQ(bytes.find(resolved->pseudonym()), std::string::npos) << "not even its own";
    EXPECT_EQ(bytes.find(resolved->case_tag()), std::string::npos);
    EXPECT_EQ(bytes.find("address_proof"), std::string::npos) << "nor what kind it is";
    EXPECT_EQ(bytes.find("Plaintextmarker"), std::string::npos);
    // What casework and identity call this person and this case.
    EXPECT_EQ(bytes.find(request.bytes()), std::string::npos);
    EXPECT_EQ(bytes.find(request.hex()), std::string::npos);
    EXPECT_EQ(bytes.find(casework_pseudonym(person)), std::string::npos);
    EXPECT_EQ(bytes.find(std::string(person.identity.begin(), person.identity.end())),
              std::string::npos);
}

TEST_F(DocumentsTest, RowsAndFilesAreAllAlike) {
    const Person person = enroll();
    const RequestId request = new_request();
    for (int i = 0; i < 3; ++i) {
        upload(own(person, request), noise(1'000));
        clock_.advance(std::chrono::days(40));
    }
    upload(own(enroll(), new_request()), noise(1'000));
    documents_.reset();
    auto database = storage::open_sqlite(path("documents") / "documents.db", documents_schema());
    ASSERT_TRUE(database);
    const auto rows = (*database)->read_result<storage::Rows>([](storage::Transaction& reading) {
        return reading.query(
            "SELECT person_place, person_mark, case_place, case_mark, description FROM document",
            {});
    });
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 4U);
    std::set<std::string> values;
    for (const auto& row : *rows) {
        for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(values.insert(row.byte_string(i)).second);
        EXPECT_EQ(row.bytes(4).size(), rows->front().bytes(4).size());
        // Longer rows would lie on pages of their own, in the order of writing.
        EXPECT_LT(row.bytes(4).size(), 900U);
    }
    std::set<std::filesystem::file_time_type> times;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path("documents") / "objects"))
        times.insert(entry.last_write_time());
    EXPECT_EQ(times.size(), 1U) << "of files and folders";
}

TEST_F(DocumentsTest, AGapIsFilledByTheLast) {
    const Person person = enroll();
    const RequestId request = new_request();
    const std::string grant = own(person, request);
    const std::string other = own(person, new_request());
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(upload(i % 2 == 0 ? grant : other));
    const auto expect = [&](const std::string& shown, std::vector<std::string> left) {
        std::sort(left.begin(), left.end());
        EXPECT_EQ(list("portal", shown), left);
        for (const auto& id : left) EXPECT_TRUE(read("portal", shown, id, 0));
    };
    const std::string all = sign(self_grant(person));
    ASSERT_TRUE(remove(grant, ids[0]));
    expect(grant, {ids[2], ids[4]});
    expect(all, {ids[1], ids[2], ids[3], ids[4]});
    ASSERT_TRUE(remove(grant, ids[4]));
    expect(grant, {ids[2]});
    expect(other, {ids[1], ids[3]});
    ids.push_back(upload(grant));
    expect(grant, {ids[2], ids[5]});
    for (const auto& id : {ids[5], ids[2]}) ASSERT_TRUE(remove(grant, id));
    expect(grant, {});
    expect(all, {ids[1], ids[3]});
    EXPECT_EQ(error_of(remove(grant, ids[1])).code, ErrorCode::kNotFound) << "of another case";
}

TEST_F(DocumentsTest, StoredLengthsAreClasses) {
    const Person person = enroll();
    const std::string grant = own(person, new_request());
    for (const std::size_t size : {1UL, 12'345UL, 16'000UL}) upload(grant, noise(size));
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path("documents") / "objects"))
        if (entry.is_regular_file()) {
            EXPECT_EQ(entry.file_size(), kSmallestClass + crypto::kStreamChunkOverhead);
        }
}

TEST_F(DocumentsTest, KeyIsMadeOnce) {
    EXPECT_EQ(
        create_documents_directory(local_file_system(), path("documents"), random_).error().code,
        ErrorCode::kConflict);
    EXPECT_TRUE(documents_service_key(local_file_system(), path("documents")));
}

}  // namespace
}  // namespace cloison::documents
