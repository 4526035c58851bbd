#include "storage/dialect.h"

#include <gtest/gtest.h>

namespace cloison::storage {
namespace {

TEST(DialectTest, ParametersAreNumbered) {
    EXPECT_EQ(to_sqlite("SELECT a FROM t WHERE b = $2 AND c IN ($1,$12)", false),
              "SELECT a FROM t WHERE b = ?2 AND c IN (?1,?12)");
    EXPECT_EQ(to_sqlite("$1", false), "?1");
    EXPECT_EQ(to_sqlite("a$1 $ $x $1x", false), "a$1 $ $x $1x");
}

TEST(DialectTest, QuotedTextsAndCommentsStay) {
    for (const char* sql : {"'$1 BYTES'", "'it''s $1'", "\"$1 KEYED\"", "-- $1 BYTES\n",
                            "/* $1\n KEYED */", "'open $1", "/* open $1", "-- open $1"})
        EXPECT_EQ(to_sqlite(sql, true), sql);
    EXPECT_EQ(to_sqlite("'a' || $1 -- $2\n|| $3 /* $4 */ || \"$5\" || $6", false),
              "'a' || ?1 -- $2\n|| ?3 /* $4 */ || \"$5\" || ?6");
}

TEST(DialectTest, SchemaWordsAreTranslatedInSchemasOnly) {
    EXPECT_EQ(to_sqlite("CREATE TABLE t (id BYTES PRIMARY KEY) KEYED;", true),
              "CREATE TABLE t (id BLOB PRIMARY KEY) WITHOUT ROWID;");
    EXPECT_EQ(to_sqlite("BYTES_X bytes KEYEDX", true), "BYTES_X bytes KEYEDX");
    EXPECT_EQ(to_sqlite("SELECT BYTES, KEYED", false), "SELECT BYTES, KEYED");
}

}  // namespace
}  // namespace cloison::storage
