#include "keeper/root_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "crypto/pkcs11.h"

namespace cloison::keeper {
namespace {

using Kind = RootKeySource::Kind;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "4711-pin";

/// SoftHSM from Debian's softhsm2, with tokens in a temporary directory.
class RootKeyTest : public testing::Test {
  protected:
    void SetUp() override {
        crypto::initialize();
        ASSERT_TRUE(*files_.exists(kModule)) << "Debian's package softhsm2 is missing";
        std::filesystem::create_directories(temporary_.path() / "tokens");
        std::filesystem::create_directories(directory());
        const Path conf = temporary_.path() / "softhsm2.conf";
        write(conf, "directories.tokendir = " + (temporary_.path() / "tokens").string() +
                        "\nobjectstore.backend = file\nlog.level = ERROR\n");
        setenv("SOFTHSM2_CONF", conf.c_str(), 1);
        make_token("keeper");
        write(pin_file(), std::string(kPin) + "\n");
        source_ = {Kind::kPkcs11, kModule, "keeper", "root", pin_file()};
    }
    void make_token(const std::string& label) {
        const std::string command = "softhsm2-util --init-token --free --label " + label +
                                    " --pin " + kPin + " --so-pin 12345678 > /dev/null 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    void write(const Path& path, std::string_view text) {
        ASSERT_TRUE(files_.write_file_atomically(path, as_bytes(text), 0600));
    }
    Path directory() const { return temporary_.path() / "keeper"; }
    Path pin_file() const { return temporary_.path() / "pin"; }
    Path wrapped() const { return directory() / "root.wrapped"; }

    Result<Bytes> load(const RootKeySource& source) {
        CLOISON_TRY(const auto root, load_root_key(files_, directory(), source));
        return to_bytes(root.key().view());
    }
    /// The error, which must name what to do.
    void refused(const RootKeySource& source, ErrorCode code, std::string_view says) {
        const auto loaded = load(source);
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code, code) << loaded.error().message;
        EXPECT_NE(loaded.error().message.find(says), std::string::npos) << loaded.error().message;
        EXPECT_EQ(loaded.error().message.find(kPin), std::string::npos);
    }

    FileSystem& files_ = local_file_system();
    TemporaryDirectory temporary_;
    SeededRandom random_{1};
    RootKeySource source_;
};

TEST_F(RootKeyTest, ATokenGivesTheSameKeyAtEachStart) {
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    const auto first = load(source_);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->size(), 32u);
    EXPECT_EQ(*load(source_), *first);
    EXPECT_FALSE(*files_.exists(directory() / "root.key"));
    EXPECT_EQ(*files_.mode(wrapped()), 0600u);
    const Bytes file = *files_.read_file(wrapped(), 1000);
    EXPECT_EQ(file.size(), 76u);
    EXPECT_EQ(std::search(file.begin(), file.end(), first->begin(), first->end()), file.end());
    EXPECT_EQ(create_root_key(files_, directory(), source_, random_).error().code,
              ErrorCode::kConflict);
    EXPECT_EQ(create_root_key(files_, directory(), {}, random_).error().code, ErrorCode::kConflict);
}

TEST_F(RootKeyTest, WhatIsWrongIsNamedWithWhatToDo) {
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    auto source = source_;
    source.module = "/nowhere/module.so";
    refused(source, ErrorCode::kNotFound, "pkcs11_module");
    source.module = "/lib/x86_64-linux-gnu/libm.so.6";
    refused(source, ErrorCode::kNotFound, "is no PKCS#11 module");
    source = source_;
    source.token = "other";
    refused(source, ErrorCode::kNotFound, "There is no token \"other\" (there: \"keeper\")");
    source = source_;
    source.key = "other";
    refused(source, ErrorCode::kNotFound, "pkcs11_key");
    source = source_;
    source.pin_file = temporary_.path() / "nothing";
    refused(source, ErrorCode::kNotFound, "pkcs11_pin_file");
    ASSERT_EQ(chmod(pin_file().c_str(), 0644), 0);
    refused(source_, ErrorCode::kPermissionDenied, "chmod 600");
    write(pin_file(), "0000-pin\n");
    refused(source_, ErrorCode::kPermissionDenied, "refuses the PIN");
    write(pin_file(), "\n");
    refused(source_, ErrorCode::kInvalidArgument, "is empty");
    write(pin_file(), kPin);
    EXPECT_TRUE(load(source_)) << "a newline behind the PIN is not needed";
    refused({}, ErrorCode::kNotFound, "root.key");
}

TEST_F(RootKeyTest, AnotherTokensKeyDoesNotOpenIt) {
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    make_token("second");
    auto source = source_;
    source.token = "second";
    const Secret pin = Secret::from_text(kPin);
    ASSERT_TRUE(crypto::create_token_key({source.module, source.token, source.key}, pin));
    refused(source, ErrorCode::kCorrupt, "name the right token and key");
}

TEST_F(RootKeyTest, EveryFlippedBitOfTheWrappedKeyIsRefused) {
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    const Bytes good = *files_.read_file(wrapped(), 1000);
    const auto put = [&](const Bytes& content) {
        auto file = files_.open(wrapped(), false);
        ASSERT_TRUE((*file)->truncate(content.size()));
        ASSERT_TRUE((*file)->write_at(0, content));
    };
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes flipped = good;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        put(flipped);
        const auto loaded = load(source_);
        ASSERT_FALSE(loaded) << bit;
        ASSERT_EQ(loaded.error().code, ErrorCode::kCorrupt) << loaded.error().message;
    }
    put(Bytes(good.begin(), good.end() - 1));
    refused(source_, ErrorCode::kCorrupt, "was changed");
    Bytes longer = good;
    longer.push_back(0);
    put(longer);
    refused(source_, ErrorCode::kCorrupt, "was changed");
    put(good);
    EXPECT_TRUE(load(source_));
}

TEST_F(RootKeyTest, ForgettingLeavesNoCopyUnderAPassingName) {
    ASSERT_TRUE(create_root_key(files_, directory(), {}, random_));
    // As a crash leaves it while the file is written.
    const Path passing = directory() / ".root.key.4711.0.tmp";
    const Path held = temporary_.path() / "held";
    std::filesystem::copy(directory() / "root.key", passing);
    std::filesystem::create_hard_link(passing, held);
    ASSERT_TRUE(forget_root_key(files_, directory(), Kind::kFile));
    EXPECT_FALSE(*files_.exists(passing));
    EXPECT_EQ(*files_.read_file(held, 100), Bytes(std::filesystem::file_size(held)));
    EXPECT_TRUE(files_.list(directory())->empty());
}

TEST_F(RootKeyTest, ItMovesIntoATokenAndOut) {
    const RootKeySource file;
    ASSERT_TRUE(create_root_key(files_, directory(), file, random_));
    const Bytes root = *load(file);
    ASSERT_TRUE(copy_root_key(files_, directory(), file, source_, random_));
    refused(source_, ErrorCode::kConflict, "move-root");
    ASSERT_TRUE(copy_root_key(files_, directory(), file, source_, random_)) << "once more";
    ASSERT_TRUE(forget_root_key(files_, directory(), Kind::kFile));
    EXPECT_EQ(*load(source_), root);
    ASSERT_TRUE(copy_root_key(files_, directory(), source_, file, random_));
    ASSERT_TRUE(forget_root_key(files_, directory(), Kind::kPkcs11));
    EXPECT_EQ(*load(file), root);
    EXPECT_FALSE(*files_.exists(wrapped()));
}

TEST_F(RootKeyTest, AMoveThatACrashCutShortIsEnded) {
    const RootKeySource file;
    const Path in_clear = directory() / "root.key";
    ASSERT_TRUE(create_root_key(files_, directory(), file, random_));
    const Bytes root = *load(file);
    ASSERT_TRUE(copy_root_key(files_, directory(), file, source_, random_));
    // Nothing of the old form is overwritten yet.
    ASSERT_TRUE(end_root_key_move(files_, directory(), file, source_, random_));
    EXPECT_FALSE(*files_.exists(in_clear));
    // It is overwritten and not removed.
    write(in_clear, std::string(65, '\0'));
    refused(source_, ErrorCode::kConflict, "move-root");
    const auto ended = end_root_key_move(files_, directory(), file, source_, random_);
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_FALSE(*files_.exists(in_clear));
    EXPECT_EQ(*load(source_), root);
    // The way back.
    ASSERT_TRUE(copy_root_key(files_, directory(), source_, file, random_));
    write(wrapped(), std::string(76, '\0'));
    ASSERT_TRUE(end_root_key_move(files_, directory(), source_, file, random_));
    EXPECT_FALSE(*files_.exists(wrapped()));
    EXPECT_EQ(*load(file), root);
}

TEST_F(RootKeyTest, AnOverwrittenFormStaysUntilTheOtherOpens) {
    const RootKeySource file;
    const Path in_clear = directory() / "root.key";
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    const Bytes good = *files_.read_file(wrapped(), 1000);
    write(in_clear, std::string(65, '\0'));
    write(wrapped(), std::string(76, '\1'));
    EXPECT_EQ(end_root_key_move(files_, directory(), file, source_, random_).error().code,
              ErrorCode::kCorrupt);
    EXPECT_TRUE(*files_.exists(in_clear));
    write(wrapped(), as_text(good));
    // One that is not zeros throughout may be a key: it is held against the other.
    write(in_clear, std::string(64, '0') + "\n");
    EXPECT_EQ(end_root_key_move(files_, directory(), file, source_, random_).error().code,
              ErrorCode::kConflict);
    EXPECT_TRUE(*files_.exists(in_clear));
}

TEST_F(RootKeyTest, AMoveGoesOverAnOverwrittenForm) {
    const RootKeySource file;
    ASSERT_TRUE(create_root_key(files_, directory(), file, random_));
    const Bytes root = *load(file);
    write(wrapped(), std::string(76, '\0'));
    const auto there = copy_root_key(files_, directory(), file, source_, random_);
    ASSERT_TRUE(there) << there.error().message;
    ASSERT_TRUE(forget_root_key(files_, directory(), Kind::kFile));
    EXPECT_EQ(*load(source_), root);
    write(directory() / "root.key", std::string(65, '\0'));
    ASSERT_TRUE(copy_root_key(files_, directory(), source_, file, random_));
    EXPECT_EQ(*load(file), root);
}

TEST_F(RootKeyTest, AKeyThatTheTokenHoldsAlreadyServesAgain) {
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_));
    const Bytes first = *load(source_);
    std::filesystem::rename(wrapped(), temporary_.path() / "first");
    ASSERT_TRUE(create_root_key(files_, directory(), source_, random_))
        << "the token's key serves again";
    EXPECT_NE(*load(source_), first);
}

}  // namespace
}  // namespace cloison::keeper
