#include "crypto/pkcs11.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace cloison::crypto {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr CK_ULONG kTagBits = 128;
constexpr CK_ULONG kKeyBytes = 32;

std::string code_of(CK_RV rv) {
    char text[32];
    std::snprintf(text, sizeof text, "PKCS#11 error 0x%lx", rv);
    return text;
}

/// Token labels are padded with blanks.
template <std::size_t N>
std::string label_of(const unsigned char (&padded)[N]) {
    std::string label(reinterpret_cast<const char*>(padded), N);
    label.erase(label.find_last_not_of(' ') + 1);
    return label;
}

CK_ATTRIBUTE text_attribute(CK_ATTRIBUTE_TYPE type, const std::string& text) {
    return {type, const_cast<char*>(text.data()), text.size()};
}

/// A logged-in session with one token. Ends with the object.
class Session {
  public:
    static Result<Session> open(const TokenKey& name, const Secret& pin) {
        Session session(name);
        CLOISON_TRY_STATUS(session.load());
        CLOISON_TRY(const auto slot, session.find_slot());
        CLOISON_TRY_STATUS(session.log_in(slot, pin));
        return session;
    }
    Session(Session&& other) noexcept
        : name_(std::move(other.name_)),
          functions_(std::exchange(other.functions_, nullptr)),
          handle_(std::exchange(other.handle_, 0)) {}
    Session& operator=(Session&&) = delete;
    ~Session() {
        if (functions_ == nullptr) return;
        if (handle_ != 0) functions_->C_CloseSession(handle_);
        functions_->C_Finalize(nullptr);
    }

    CK_FUNCTION_LIST* operator->() const { return functions_; }
    CK_SESSION_HANDLE handle() const { return handle_; }

    /// All secret keys of the label.
    Result<std::vector<CK_OBJECT_HANDLE>> find_keys() const {
        CK_OBJECT_CLASS type = CKO_SECRET_KEY;
        CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &type, sizeof type},
                                 text_attribute(CKA_LABEL, name_.key)};
        CK_RV rv = functions_->C_FindObjectsInit(handle_, wanted, 2);
        CK_OBJECT_HANDLE found[2];
        CK_ULONG count = 0;
        if (rv == CKR_OK) rv = functions_->C_FindObjects(handle_, found, 2, &count);
        if (rv != CKR_OK) return failed("searched", rv);
        functions_->C_FindObjectsFinal(handle_);
        return std::vector<CK_OBJECT_HANDLE>(found, found + count);
    }

    /// The one key of the label, if it is what keeps a secret in the token.
    Result<CK_OBJECT_HANDLE> find_key() const {
        CLOISON_TRY(const auto keys, find_keys());
        if (keys.empty())
            return fail(ErrorCode::kNotFound, "The token \"" + name_.token + "\" holds no key \"" +
                                                  name_.key + "\": is pkcs11_key right?");
        if (keys.size() > 1)
            return fail(ErrorCode::kConflict, "The token \"" + name_.token +
                                                  "\" holds more than one key \"" + name_.key +
                                                  "\": give the right one a label of its own.");
        CLOISON_TRY_STATUS(require_kept(keys[0]));
        return keys[0];
    }

    tl::unexpected<Error> failed(const char* what, CK_RV rv) const {
        return fail(ErrorCode::kIo, "The token \"" + name_.token + "\" could not be " + what +
                                        " (" + code_of(rv) + ").");
    }

  private:
    explicit Session(TokenKey name) : name_(std::move(name)) {}

    Status load() {
        // The module stays loaded: some do not survive being unloaded.
        void* library = ::dlopen(name_.module.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            const char* reason = ::dlerror();
            return fail(ErrorCode::kNotFound, "The PKCS#11 module " + name_.module.string() +
                                                  " cannot be loaded (" +
                                                  (reason == nullptr ? "no reason given" : reason) +
                                                  "): is pkcs11_module right?");
        }
        const auto list =
            reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
        if (list == nullptr || list(&functions_) != CKR_OK || functions_ == nullptr)
            return fail(ErrorCode::kNotFound,
                        name_.module.string() + " is no PKCS#11 module: is pkcs11_module right?");
        CK_C_INITIALIZE_ARGS arguments{};
        arguments.flags = CKF_OS_LOCKING_OK;
        const CK_RV rv = functions_->C_Initialize(&arguments);
        if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
        functions_ = nullptr;
        return fail(ErrorCode::kIo, "The PKCS#11 module " + name_.module.string() +
                                        " does not start (" + code_of(rv) + ").");
    }

    Result<CK_SLOT_ID> find_slot() const {
        CK_ULONG count = 0;
        CK_RV rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
        std::vector<CK_SLOT_ID> slots(count);
        if (rv == CKR_OK) rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
        if (rv != CKR_OK)
            return fail(ErrorCode::kIo, "The PKCS#11 module " + name_.module.string() +
                                            " does not list its tokens (" + code_of(rv) + ").");
        slots.resize(count);
        std::vector<CK_SLOT_ID> found;
        std::string others;
        for (const CK_SLOT_ID slot : slots) {
            CK_TOKEN_INFO info{};
            if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
            if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
            const std::string label = label_of(info.label);
            if (label == name_.token)
                found.push_back(slot);
            else
                others += (others.empty() ? "\"" : ", \"") + label + '"';
        }
        if (found.size() == 1) return found[0];
        if (found.empty())
            return fail(ErrorCode::kNotFound, "There is no token \"" + name_.token + "\" (there: " +
                                                  (others.empty() ? "none" : others) +
                                                  "): connect it, or correct pkcs11_token.");
        return fail(ErrorCode::kConflict,
                    "There is more than one token \"" + name_.token + "\": disconnect the others.");
    }

    Status log_in(CK_SLOT_ID slot, const Secret& pin) {
        CK_RV rv = functions_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                             nullptr, &handle_);
        if (rv != CKR_OK) return failed("opened", rv);
        rv = functions_->C_Login(handle_, CKU_USER, const_cast<CK_UTF8CHAR*>(pin.view().data()),
                                 pin.size());
        if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return {};
        if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE)
            return fail(ErrorCode::kPermissionDenied,
                        "The token \"" + name_.token +
                            "\" refuses the PIN: correct the file that pkcs11_pin_file names "
                            "(repeated wrong PINs lock the token).");
        if (rv == CKR_PIN_LOCKED)
            return fail(ErrorCode::kPermissionDenied,
                        "The PIN of the token \"" + name_.token +
                            "\" is locked: unlock it with the security officer's PIN.");
        return failed("logged in to", rv);
    }

    /// A key that could be read out of the token would protect nothing.
    Status require_kept(CK_OBJECT_HANDLE key) const {
        CK_BBOOL sensitive = CK_FALSE;
        CK_BBOOL extractable = CK_TRUE;
        CK_KEY_TYPE type = 0;
        CK_ULONG bytes = 0;
        CK_ATTRIBUTE facts[] = {{CKA_SENSITIVE, &sensitive, sizeof sensitive},
                                {CKA_EXTRACTABLE, &extractable, sizeof extractable},
                                {CKA_KEY_TYPE, &type, sizeof type},
                                {CKA_VALUE_LEN, &bytes, sizeof bytes}};
        const CK_RV rv = functions_->C_GetAttributeValue(handle_, key, facts, 4);
        if (rv == CKR_OK && sensitive == CK_TRUE && extractable == CK_FALSE && type == CKK_AES &&
            bytes == kKeyBytes)
            return {};
        return fail(ErrorCode::kConflict,
                    "The key \"" + name_.key + "\" in the token \"" + name_.token +
                        "\" is not a sensitive, non-extractable AES-256 key: name another one.");
    }

    TokenKey name_;
    CK_FUNCTION_LIST* functions_ = nullptr;
    CK_SESSION_HANDLE handle_ = 0;
};

/// The mechanism and what it points to.
struct Gcm {
    Gcm(ByteView nonce, ByteView associated)
        : nonce_(to_bytes(nonce)), associated_(to_bytes(associated)) {
        parameters_.iv_ptr = nonce_.data();
        parameters_.iv_len = nonce_.size();
        parameters_.iv_bits = nonce_.size() * 8;
        parameters_.aad_ptr = associated_.data();
        parameters_.aad_len = associated_.size();
        parameters_.tag_bits = kTagBits;
        mechanism = {CKM_AES_GCM, &parameters_, sizeof parameters_};
    }
    Gcm(const Gcm&) = delete;
    Gcm& operator=(const Gcm&) = delete;

    CK_MECHANISM mechanism{};

  private:
    Bytes nonce_;
    Bytes associated_;
    ck_gcm_params parameters_{};
};

}  // namespace

Status create_token_key(const TokenKey& name, const Secret& pin) {
    CLOISON_TRY(const auto session, Session::open(name, pin));
    CLOISON_TRY(const auto keys, session.find_keys());
    if (!keys.empty()) {
        CLOISON_TRY_STATUS(session.find_key());
        return {};
    }
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_OBJECT_CLASS object = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG bytes = kKeyBytes;
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &object, sizeof object},   {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_VALUE_LEN, &bytes, sizeof bytes}, {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},       {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},     {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},       {CKA_WRAP, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},          text_attribute(CKA_LABEL, name.key)};
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE made = 0;
    const CK_RV rv =
        session->C_GenerateKey(session.handle(), &mechanism, wanted, std::size(wanted), &made);
    if (rv != CKR_OK) return session.failed("made to generate a key", rv);
    CLOISON_TRY_STATUS(session.find_key());
    return {};
}

Result<Bytes> token_encrypt(const TokenKey& name, const Secret& pin, ByteView plaintext,
                            ByteView associated, cloison::Random& random) {
    CLOISON_TRY(const auto session, Session::open(name, pin));
    CLOISON_TRY(const auto key, session.find_key());
    Bytes box(kNonceSize);
    random.fill(box);
    Gcm gcm(box, associated);
    Bytes out(plaintext.size() + kTokenOverhead);
    CK_ULONG size = out.size();
    CK_RV rv = session->C_EncryptInit(session.handle(), &gcm.mechanism, key);
    if (rv == CKR_OK)
        rv = session->C_Encrypt(session.handle(), const_cast<CK_BYTE*>(plaintext.data()),
                                plaintext.size(), out.data(), &size);
    if (rv != CKR_OK) return session.failed("made to encrypt", rv);
    if (size != plaintext.size() + kTokenOverhead - kNonceSize)
        return fail(ErrorCode::kIo,
                    "The token \"" + name.token + "\" does not append the tag that AES-GCM has.");
    box.insert(box.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    return box;
}

Result<Secret> token_decrypt(const TokenKey& name, const Secret& pin, ByteView box,
                             ByteView associated) {
    const auto does_not_open = [&] {
        return fail(ErrorCode::kCorrupt, "What the key \"" + name.key + "\" of the token \"" +
                                             name.token +
                                             "\" is to open was changed, or was made with another "
                                             "key.");
    };
    if (box.size() < kTokenOverhead) return does_not_open();
    CLOISON_TRY(const auto session, Session::open(name, pin));
    CLOISON_TRY(const auto key, session.find_key());
    Gcm gcm(box.first(kNonceSize), associated);
    const ByteView ciphertext = box.subspan(kNonceSize);
    // Some modules want room for the tag too.
    Secret out{Bytes(ciphertext.size())};
    CK_ULONG size = out.size();
    const CK_RV rv = session->C_DecryptInit(session.handle(), &gcm.mechanism, key);
    if (rv != CKR_OK) return session.failed("made to decrypt", rv);
    if (session->C_Decrypt(session.handle(), const_cast<CK_BYTE*>(ciphertext.data()),
                           ciphertext.size(), out.data(), &size) != CKR_OK ||
        size != box.size() - kTokenOverhead)
        return does_not_open();
    return Secret(out.view().first(size));
}

}  // namespace cloison::crypto
