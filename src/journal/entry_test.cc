#include "journal/entry.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::journal {
namespace {

Entry full_entry() {
    Entry entry;
    entry.kind = EntryKind::kRefused;
    entry.time = from_unix_ms(0x0102030405060708);
    entry.door = 0x11;
    entry.purpose = 0x12;
    entry.role = registry::Role::kDpo;
    entry.actor = *ActorId::from_hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    entry.session = *SessionId::from_hex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
    entry.origin = parse_origin("192.0.2.1");
    entry.person = 0x21222324;
    entry.fields.set(0).set(9).set(64).set(127);
    entry.case_reference = *RequestId::from_hex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
    entry.request = *decltype(entry.request)::from_hex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
    entry.reason = "identity_check";
    entry.salt.fill(0xee);
    return entry;
}

TEST(EntryTest, IsLaidOutAsTheFormatSays) {
    EXPECT_EQ(hex_encode(encode_entry(full_entry())),
              "01020511120e"                      // Version, kind, role, door, purpose, length.
              "0102030405060708"                  // Time.
              "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"  // Actor.
              "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"  // Session.
              "00000000000000000000ffffc0000201"  // Origin.
              "21222324"                          // Person.
              "80000000000000010000000000000201"  // Fields 127, 64, 9 and 0.
              "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"  // Case.
              "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"  // Request.
              "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"  // Salt.
              "6964656e746974795f636865636b");    // Reason.
}

TEST(EntryTest, EveryEntryComesBackAsItWas) {
    SeededRandom random(1);
    for (int round = 0; round < 500; ++round) {
        Entry entry;
        entry.kind = static_cast<EntryKind>(1 + random.uniform(6));
        entry.role = static_cast<registry::Role>(1 + random.uniform(6));
        entry.time = from_unix_ms(static_cast<std::int64_t>(random.uniform(1ULL << 62)) -
                                  (std::int64_t{1} << 61));
        entry.door = static_cast<std::uint8_t>(random.uniform(256));
        entry.purpose = static_cast<std::uint8_t>(random.uniform(256));
        entry.actor = ActorId::random(random);
        entry.session = SessionId::random(random);
        random.fill(entry.origin);
        entry.person = static_cast<std::uint32_t>(random.uniform(1ULL << 32));
        for (std::size_t bit = 0; bit < entry.fields.size(); ++bit)
            entry.fields[bit] = random.uniform(2) == 1;
        entry.case_reference = RequestId::random(random);
        entry.request = decltype(entry.request)::random(random);
        entry.reason.assign(random.uniform(kMaxReasonBytes + 1), 'x');
        random.fill(entry.salt);

        const Bytes bytes = encode_entry(entry);
        const auto decoded = decode_entry(bytes);
        ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
        EXPECT_EQ(decoded->kind, entry.kind);
        EXPECT_EQ(decoded->time, entry.time);
        EXPECT_EQ(decoded->role, entry.role);
        EXPECT_EQ(decoded->actor, entry.actor);
        EXPECT_EQ(decoded->origin, entry.origin);
        EXPECT_EQ(decoded->person, entry.person);
        EXPECT_EQ(decoded->fields, entry.fields);
        EXPECT_EQ(decoded->reason, entry.reason);
        EXPECT_EQ(encode_entry(*decoded), bytes);
    }
}

TEST(EntryTest, ReasonIsCutAtItsBoundBetweenCharacters) {
    Entry entry;
    entry.reason = std::string(kMaxReasonBytes, 'a');
    EXPECT_EQ(decode_entry(encode_entry(entry))->reason, entry.reason);
    entry.reason += 'b';
    EXPECT_EQ(decode_entry(encode_entry(entry))->reason, std::string(kMaxReasonBytes, 'a'));
    entry.reason = std::string(kMaxReasonBytes - 1, 'a') + "\xc3\xa9";
    EXPECT_EQ(decode_entry(encode_entry(entry))->reason, std::string(kMaxReasonBytes - 1, 'a'));
}

TEST(EntryTest, AnyOtherLengthIsRefused) {
    const Bytes bytes = encode_entry(full_entry());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto decoded = decode_entry(ByteView(bytes).first(size));
        ASSERT_FALSE(decoded.has_value()) << size;
        EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode_entry(longer).has_value());
}

TEST(EntryTest, UnknownValuesAreRefused) {
    const auto decodes_with = [](std::size_t at, std::uint8_t value) {
        Bytes bytes = encode_entry(full_entry());
        bytes[at] = value;
        return decode_entry(bytes).has_value();
    };
    for (int value = 0; value < 256; ++value) {
        const auto byte = static_cast<std::uint8_t>(value);
        EXPECT_EQ(decodes_with(0, byte), value == 1) << "version " << value;
        EXPECT_EQ(decodes_with(1, byte), value >= 1 && value <= 9) << "kind " << value;
        EXPECT_EQ(decodes_with(2, byte), value >= 1 && value <= 6) << "role " << value;
        EXPECT_EQ(decodes_with(5, byte), value == 14) << "length of the reason " << value;
    }
}

TEST(EntryTest, ReasonBeyondItsBoundIsRefused) {
    Bytes bytes = encode_entry(full_entry());
    bytes.resize(130);
    bytes[5] = 65;
    bytes.resize(130 + 65, 'x');
    EXPECT_FALSE(decode_entry(bytes).has_value());
    bytes[5] = 64;
    bytes.pop_back();
    EXPECT_TRUE(decode_entry(bytes).has_value());
}

TEST(OriginTest, AddressesAreReadAndWritten) {
    EXPECT_EQ(format_origin(parse_origin("192.0.2.255")), "192.0.2.255");
    EXPECT_EQ(format_origin(parse_origin("2001:db8::1")), "2001:db8::1");
    EXPECT_EQ(parse_origin("::ffff:192.0.2.1"), parse_origin("192.0.2.1"));
    using namespace std::string_view_literals;
    for (const std::string_view text :
         {""sv, "here"sv, "192.0.2.256"sv, "192.0.2.1 "sv, "unix:/run/x"sv, "192.0.2.1\0x"sv})
        EXPECT_EQ(parse_origin(text), Origin{}) << text;
    EXPECT_EQ(format_origin(Origin{}), "");
}

}  // namespace
}  // namespace cloison::journal
