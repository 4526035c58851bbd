#include "keeper/blind_index.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace cloison::keeper {
namespace {

bool is_email(std::string_view field) {
    return field == "email" || field.ends_with("_email");
}

Result<icu::UnicodeString> from_utf8(ByteView value) {
    auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(
        reinterpret_cast<const char*>(value.data()), static_cast<std::int32_t>(value.size())));
    // Malformed input becomes U+FFFD; coming back to the same bytes shows that there was none.
    std::string back;
    text.toUTF8String(back);
    const bool same = equal_constant_time(as_bytes(back), value);
    wipe(back);
    if (!same) return fail(ErrorCode::kInvalidArgument, "The value is not UTF-8.");
    return text;
}

Result<icu::UnicodeString> normalise(const icu::UnicodeString& text, bool fold_case) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* normalizer = fold_case ? icu::Normalizer2::getNFKCCasefoldInstance(status)
                                       : icu::Normalizer2::getNFKCInstance(status);
    icu::UnicodeString normalised;
    if (U_SUCCESS(status)) normalised = normalizer->normalize(text, status);
    if (U_FAILURE(status)) return fail(ErrorCode::kInternal, "ICU cannot normalise a value.");
    return normalised;
}

/// Trims, and turns each run of white space into one space.
icu::UnicodeString collapse_spaces(const icu::UnicodeString& text) {
    icu::UnicodeString collapsed;
    bool gap = false;
    for (std::int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
        const UChar32 c = text.char32At(at);
        if (u_isUWhiteSpace(c)) {
            gap = !collapsed.isEmpty();
            continue;
        }
        if (gap) collapsed.append(UChar32{' '});
        gap = false;
        collapsed.append(c);
    }
    return collapsed;
}

}  // namespace

Result<Secret> normalise_for_index(std::string_view field, ByteView value) {
    if (value.size() > kMaxIndexedValue)
        return fail(ErrorCode::kInvalidArgument, "A value to look up has at most 1,024 bytes.");
    CLOISON_TRY(auto text, from_utf8(value));
    const bool fold_case = !is_email(field);
    CLOISON_TRY(text, normalise(text, fold_case));
    if (!fold_case) {
        text.toLower(icu::Locale::getRoot());
        CLOISON_TRY(text, normalise(text, fold_case));
    }
    text = collapse_spaces(text);
    if (text.isEmpty()) return fail(ErrorCode::kInvalidArgument, "A value to look up is empty.");
    std::string utf8;
    text.toUTF8String(utf8);
    auto normalised = Secret::from_text(utf8);
    wipe(utf8);
    return normalised;
}

Result<Bytes> BlindIndex::look_up(std::string_view caller, std::string_view field, ByteView value) {
    auto* const allowance = allowances_.look_ups(caller);
    if (!allowance)
        return fail(ErrorCode::kPermissionDenied,
                    "Only a door or the operator may look up an exact value.");
    if (!registry_.field(field))
        return fail(ErrorCode::kInvalidArgument, "A field is not in the register.");
    CLOISON_TRY(const auto normalised, normalise_for_index(field, value));
    Bytes index = keys_.blind_index(field, normalised.view());
    CLOISON_TRY_STATUS(allowance->use(get_u64(index)));
    return index;
}

}  // namespace cloison::keeper
