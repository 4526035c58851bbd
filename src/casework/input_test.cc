#include "casework/input.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "casework/request_type.h"

namespace cloison::casework {
namespace {

// 2026-04-13T09:30:00Z
const Time kNow = from_unix_ms(1'776'072'600'000);

InputField field_of(InputKind kind) {
    InputField field;
    field.name = "field";
    field.kind = kind;
    field.label = {"Champ", "Field"};
    for (const char* rule : {"missing", "malformed", "too_long", "too_short", "incomplete",
                             "too_early", "too_late", "in_future", "out_of_range"})
        field.errors[rule] = {rule, rule};
    return field;
}

/// The canonical form, or the rule that the answer breaks, after an exclamation mark.
std::string read(const InputField& field, const std::string& typed) {
    const auto answer = read_input(field, {{"field", typed}}, kNow);
    return answer ? *answer : '!' + answer.error().message.en;
}

std::string read(const InputField& field, const std::string& day, const std::string& month,
                 const std::string& year) {
    const auto answer =
        read_input(field, {{"field-day", day}, {"field-month", month}, {"field-year", year}}, kNow);
    return answer ? *answer : '!' + answer.error().message.en;
}

std::string repeat(const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(ReadInputTest, EmptyIsMissingOrEmpty) {
    for (int kind = 0; kind <= static_cast<int>(InputKind::kDocumentNumber); ++kind) {
        InputField field = field_of(static_cast<InputKind>(kind));
        EXPECT_EQ(read(field, ""), "!missing") << kind;
        EXPECT_EQ(read_input(field, {}, kNow).error().field, "field");
        if (field.kind != InputKind::kDate) {
            EXPECT_EQ(read(field, " \t\xc2\xa0\r\n"), "!missing") << kind;
        }
        field.required = false;
        EXPECT_EQ(read(field, ""), "") << kind;
    }
}

TEST(ReadInputTest, HostileTextIsRefusedByEveryKind) {
    const std::vector<std::string> hostile{
        std::string("Dup\0ont", 7),    // NUL
        "Dup\x1b[31mont",              // escape sequence
        "Dupont\x07",                  // bell
        "Dup\xe2\x80\xaetno",          // U+202E right-to-left override
        "Dup\xe2\x81\xa6ont",          // U+2066 isolate
        "Dup\xe2\x80\x8bont",          // U+200B zero width space
        "Dup\xef\xbb\xbfont",          // byte order mark
        "Dup\xc2\xadont",              // soft hyphen
        "Dup\xe2\x80\xa8ont",          // line separator
        "Dup\xee\x80\x80ont",          // private use
        "Dup\xff\xfeont",              // not UTF-8
        "Dup\xc0\xafont",              // overlong
        "Dup\xed\xa0\x80ont",          // surrogate
        "Dup\xf4\x90\x80\x80ont",      // beyond Unicode
        "a" + repeat("\xcc\xb6", 12),  // stacked accents
    };
    for (int kind = 0; kind <= static_cast<int>(InputKind::kDocumentNumber); ++kind) {
        const InputField field = field_of(static_cast<InputKind>(kind));
        if (field.kind == InputKind::kDate) continue;
        for (const std::string& text : hostile)
            EXPECT_EQ(read(field, text), "!malformed") << kind << " " << text;
    }
    const InputField date = field_of(InputKind::kDate);
    for (const std::string& text : hostile) EXPECT_EQ(read(date, text, "3", "1984"), "!malformed");
}

TEST(ReadInputTest, MessagesHoldNothingThatWasTyped) {
    for (int kind = 0; kind <= static_cast<int>(InputKind::kDocumentNumber); ++kind) {
        const InputField field = field_of(static_cast<InputKind>(kind));
        const auto answer = read_input(
            field, {{"field", "<zzq\x01>"}, {"field-day", "zzq"}, {"field-month", "zzq"}}, kNow);
        ASSERT_FALSE(answer) << kind;
        EXPECT_EQ(answer.error().message.fr.find("zzq"), std::string::npos) << kind;
    }
}

TEST(ReadInputTest, LengthsCountCharactersAtTheBound) {
    InputField field = field_of(InputKind::kText);
    field.min_length = 3;
    field.max_length = 5;
    EXPECT_EQ(read(field, "ab"), "!too_short");
    EXPECT_EQ(read(field, "éàü"), "éàü");
    EXPECT_EQ(read(field, "éàüçñ"), "éàüçñ");
    EXPECT_EQ(read(field, "éàüçñx"), "!too_long");
    EXPECT_EQ(read(field, "  a   b c  "), "a b c");
    EXPECT_EQ(read(field, "😀😀😀😀😀"), "😀😀😀😀😀");
    EXPECT_EQ(read(field, "abc\nd"), "!malformed");
    field.max_length = kMaxRawAnswer * 2;
    EXPECT_EQ(read(field, std::string(kMaxRawAnswer, 'a')), std::string(kMaxRawAnswer, 'a'));
    EXPECT_EQ(read(field, std::string(kMaxRawAnswer + 1, 'a')), "!too_long");
}

TEST(ReadInputTest, NamesAreLatinLettersInNormalFormC) {
    const InputField field = field_of(InputKind::kName);
    EXPECT_EQ(read(field, " Jean-Françoi\xcc\x88s  d’Été "), "Jean-Françoïs d'Été");
    EXPECT_EQ(read(field, "E\xcc\x81lodie"), "Élodie");
    EXPECT_EQ(read(field, "O'Brien"), "O'Brien");
    EXPECT_EQ(read(field, "Ng"), "Ng");
    EXPECT_EQ(read(field, "Martin Jr."), "Martin Jr.");
    EXPECT_EQ(read(field, "Łukasz Ðorđe Þór"), "Łukasz Ðorđe Þór");
    for (const char* bad :
         {"Jean 2", "😀", "Jean 😀", "<b>Jean</b>", "-Jean", "Jean-", "Jean; DROP TABLE", "Jean@x",
          "Иван", "Jeаn" /* Cyrillic a */, "ｊｅａｎ", "ﬁn", "𝐉ean", "Jean\nPaul", "'", "."})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
    EXPECT_EQ(read(field, std::string(100, 'a')), std::string(100, 'a'));
    EXPECT_EQ(read(field, std::string(101, 'a')), "!too_long");
}

TEST(ReadInputTest, LongTextKeepsItsLines) {
    InputField field = field_of(InputKind::kLongText);
    field.max_length = 12;
    EXPECT_EQ(read(field, "\r\n a  b\r\n\r\n c\rd \n\n"), "a b\n\nc\nd");
    EXPECT_EQ(read(field, "123456789012"), "123456789012");
    EXPECT_EQ(read(field, "12345678901\n2"), "!too_long");
}

TEST(ReadInputTest, ChoiceIsACodeOfTheList) {
    InputField field = field_of(InputKind::kChoice);
    field.choices = {{"yes", {"Oui", "Yes"}}, {"no", {"Non", "No"}}};
    EXPECT_EQ(read(field, "yes"), "yes");
    EXPECT_EQ(read(field, "YES"), "!malformed");
    EXPECT_EQ(read(field, "yes "), "!malformed");
    EXPECT_EQ(read(field, "maybe"), "!malformed");
    EXPECT_EQ(read(field, std::string(kMaxRawAnswer + 1, 'y')), "!malformed");
}

TEST(ReadInputTest, DatesAreRealAndWithinBounds) {
    InputField field = field_of(InputKind::kDate);
    field.in_past = true;
    field.min_value = 1900;
    EXPECT_EQ(read(field, "9", "3", "1984"), "1984-03-09");
    EXPECT_EQ(read(field, " 09 ", "03", "1984"), "1984-03-09");
    EXPECT_EQ(read(field, "29", "2", "2024"), "2024-02-29");
    EXPECT_EQ(read(field, "31", "2", "1984"), "!malformed");
    EXPECT_EQ(read(field, "29", "2", "2023"), "!malformed");
    EXPECT_EQ(read(field, "29", "2", "1900"), "!malformed");
    EXPECT_EQ(read(field, "31", "4", "2000"), "!malformed");
    EXPECT_EQ(read(field, "0", "3", "1984"), "!malformed");
    EXPECT_EQ(read(field, "1", "13", "1984"), "!malformed");
    EXPECT_EQ(read(field, "1", "1", "84"), "!malformed");
    EXPECT_EQ(read(field, "1", "1", "00984"), "!malformed");
    EXPECT_EQ(read(field, "-1", "1", "1984"), "!malformed");
    EXPECT_EQ(read(field, "1", "mars", "1984"), "!malformed");
    EXPECT_EQ(read(field, "1", "", "1984"), "!incomplete");
    EXPECT_EQ(read(field, "", "", "1984"), "!incomplete");
    EXPECT_EQ(read(field, "31", "12", "1899"), "!too_early");
    EXPECT_EQ(read(field, "1", "1", "1900"), "1900-01-01");
    EXPECT_EQ(read(field, "13", "4", "2026"), "2026-04-13");
    EXPECT_EQ(read(field, "14", "4", "2026"), "!in_future");
    field.in_past = false;
    field.max_value = 2030;
    EXPECT_EQ(read(field, "31", "12", "2030"), "2030-12-31");
    EXPECT_EQ(read(field, "1", "1", "2031"), "!too_late");
}

TEST(ReadInputTest, PlacesAreACommuneOrATownAndCountry) {
    const InputField field = field_of(InputKind::kPlace);
    EXPECT_EQ(read(field, "Lyon(69)"), "Lyon (69)");
    EXPECT_EQ(read(field, "Ajaccio (2a)"), "Ajaccio (2A)");
    EXPECT_EQ(read(field, "L’Haÿ-les-Roses (94)"), "L'Haÿ-les-Roses (94)");
    EXPECT_EQ(read(field, "Paris 13e (75)"), "Paris 13e (75)");
    EXPECT_EQ(read(field, "Saint-Denis (974)"), "Saint-Denis (974)");
    EXPECT_EQ(read(field, "Turin ,Italie"), "Turin, Italie");
    EXPECT_EQ(read(field, "Washington, D.C., États-Unis"), "!malformed");
    for (const char* bad :
         {"Lyon", "Lyon (96)", "Lyon (00)", "Lyon (979)", "Lyon (6)", "(69)", "Lyon (69",
          ", Italie", "Turin,", "Turin, 39", "<b>, x", "Москва, Россия"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
}

TEST(ReadInputTest, HeightIsInCentimetres) {
    InputField field = field_of(InputKind::kHeight);
    field.min_value = 40;
    field.max_value = 250;
    for (const char* good : {"172", "172 cm", " 172cm", "1,72", "1.72 m", "1m72", "1 m 72"})
        EXPECT_EQ(read(field, good), "172") << good;
    EXPECT_EQ(read(field, "40"), "40");
    EXPECT_EQ(read(field, "39"), "!out_of_range");
    EXPECT_EQ(read(field, "250"), "250");
    EXPECT_EQ(read(field, "251"), "!out_of_range");
    for (const char* bad :
         {"-172", "172.5", "1,7", "1e2", "5'8\"", "0x64", "17200", "1,725", "cm", "٣٠٠"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
}

TEST(ReadInputTest, PhonesBecomeInternational) {
    const InputField field = field_of(InputKind::kPhone);
    for (const char* good : {"06 12 34 56 78", "06.12.34.56.78", "0612345678", "+33612345678",
                             "+33 (0)6 12 34 56 78", "0033 6 12 34 56 78", "06-12-34-56-78"})
        EXPECT_EQ(read(field, good), "+33612345678") << good;
    EXPECT_EQ(read(field, "0692 12 34 56"), "+262692123456");
    EXPECT_EQ(read(field, "0590 12 34 56"), "+590590123456");
    EXPECT_EQ(read(field, "+41 78 123 45 67"), "+41781234567");
    EXPECT_EQ(read(field, "+1234567"), "+1234567");
    EXPECT_EQ(read(field, "+123456789012345"), "+123456789012345");
    for (const char* bad : {"06 12 34 56 7", "06 12 34 56 789", "0012", "00", "+123456",
                            "+1234567890123456", "+0123456789", "1612345678", "+33 06 12 34 56 78",
                            "+33 6 12 34 56 7", "06 12 34 56 7a", "++33612345678"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
}

TEST(ReadInputTest, EmailKeepsTheLocalPartAndLowersTheDomain) {
    InputField field = field_of(InputKind::kEmail);
    field.max_length = 254;
    EXPECT_EQ(read(field, " Jean.Dupont+x@Exemple.FR "), "Jean.Dupont+x@exemple.fr");
    EXPECT_EQ(read(field, "a@élysée.example"), "a@xn--lyse-9oad.example");
    const std::string local(64, 'a');
    const std::string label(63, 'b');
    const std::string fits = local + '@' + label + '.' + label + '.' + std::string(61, 'c');
    ASSERT_EQ(fits.size(), 254U);
    EXPECT_EQ(read(field, fits), fits);
    EXPECT_EQ(read(field, fits + 'c'), "!too_long");
    EXPECT_EQ(read(field, 'a' + local + "@b.fr"), "!malformed");
    EXPECT_EQ(read(field, "a@" + label + "b.fr"), "!malformed");
    for (const char* bad : {"a",
                            "a@",
                            "@b.fr",
                            "a@b",
                            "a@b.",
                            "a@.fr",
                            "a@b..fr",
                            "a..b@c.fr",
                            ".a@b.fr",
                            "a.@b.fr",
                            "a b@c.fr",
                            "a@b.fr,c@d.fr",
                            "<a@b.fr>",
                            "\"a\"@b.fr",
                            "a@b_c.fr",
                            "a@1.2.3.4",
                            "a@b.f",
                            "a@-b.fr",
                            "a@b.fr\nBcc: x@y.fr",
                            "é@b.fr"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
}

TEST(ReadInputTest, AddressesHaveStreetAndTown) {
    InputField field = field_of(InputKind::kAddress);
    field.min_length = 8;
    field.max_length = 300;
    EXPECT_EQ(read(field, "12 bis, rue de l’Église\r\n\r\n 69001  Lyon \r\n"),
              "12 bis, rue de l'Église\n69001 Lyon");
    EXPECT_EQ(read(field, "Via Roma 1\n10121 Torino\nItalie"), "Via Roma 1\n10121 Torino\nItalie");
    EXPECT_EQ(read(field, "1 High Street\nLondon SW1A 1AA\nUnited Kingdom"),
              "1 High Street\nLondon SW1A 1AA\nUnited Kingdom");
    for (const char* bad :
         {"12 rue de la Paix", "12 rue de la Paix\nParis", "69001 Lyon", "<script>\n69001 Lyon",
          "12 rue X\n69001", "12 rue X\n690011 Lyon", "12 rue X\n---\n69001 Lyon",
          "Улица 1\n69001 Lyon", "😀 rue X\n69001 Lyon", "a\nb\nc\nd\ne\nf\ng\n69001 Lyon"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
    EXPECT_EQ(read(field, "1\n2"), "!too_short");
    EXPECT_EQ(read(field, "1 rue X\n69001 " + std::string(300, 'a')), "!too_long");
}

TEST(ReadInputTest, DocumentNumbersAreUpperCase) {
    InputField field = field_of(InputKind::kDocumentNumber);
    field.min_length = 7;
    field.max_length = 9;
    EXPECT_EQ(read(field, " 12 ab-34567 "), "12AB34567");
    EXPECT_EQ(read(field, "1234567"), "1234567");
    EXPECT_EQ(read(field, "123456"), "!too_short");
    EXPECT_EQ(read(field, "1234567890"), "!too_long");
    for (const char* bad : {"12AB3456!", "12АВ34567" /* Cyrillic */, "12AB/4567", "1234é67"})
        EXPECT_EQ(read(field, bad), "!malformed") << bad;
}

TEST(ReadInputTest, CanonicalFormsReadBackAsThemselves) {
    struct Sample {
        InputKind kind;
        std::string typed;
    };
    for (const Sample& sample : std::vector<Sample>{
             {InputKind::kText, " un   texte "},
             {InputKind::kName, "Jean-Franc\xcc\xa7ois d’Été"},
             {InputKind::kLongText, "a\r\n\r\n b"},
             {InputKind::kPlace, "Ajaccio(2a)"},
             {InputKind::kPlace, "Turin,Italie"},
             {InputKind::kPhone, "06 12 34 56 78"},
             {InputKind::kEmail, "A@B.FR"},
             {InputKind::kAddress, "1 rue X\r\n69001 Lyon"},
             {InputKind::kDocumentNumber, "12 ab 34567"},
             {InputKind::kHeight, "1,72 m"},
         }) {
        InputField field = field_of(sample.kind);
        field.min_value = 40;
        field.max_value = 250;
        const std::string once = read(field, sample.typed);
        ASSERT_FALSE(once.starts_with('!')) << sample.typed;
        EXPECT_EQ(read(field, once), once);
    }
}

}  // namespace
}  // namespace cloison::casework
