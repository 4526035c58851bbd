# cloison_schema(<name> <directory> <function>)
#
# Compiles the NNNN_what.sql files of a directory into the library of a folder, so that the binary
# needs no file beside it. The folder includes "<name>/<function>.h", which declares
#   std::vector<cloison::storage::Migration> cloison::<name>::<function>();
function(cloison_schema name directory function)
    file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${directory}/*.sql)
    list(SORT scripts)
    set(migrations "")
    foreach(script IN LISTS scripts)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
        get_filename_component(stem ${script} NAME_WE)
        string(REGEX MATCH "^([0-9]+)_(.*)$" matched ${stem})
        if(NOT matched)
            message(FATAL_ERROR "${script} is not named NNNN_what.sql")
        endif()
        set(what ${CMAKE_MATCH_2})
        string(REGEX REPLACE "^0+" "" number ${CMAKE_MATCH_1})
        file(READ ${script} sql)
        string(APPEND migrations "        {${number}, \"${what}\", R\"sql(${sql})sql\"},\n")
    endforeach()
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/schema)
    file(
        CONFIGURE
        OUTPUT ${generated}/${name}/${function}.h
        CONTENT
            "#pragma once

#include \"storage/database.h\"

namespace cloison::@name@ {

inline std::vector<storage::Migration> @function@() {
    return {
@migrations@    };
}

}  // namespace cloison::@name@
"
        @ONLY
    )
    get_target_property(kind cloison_${name} TYPE)
    if(NOT kind STREQUAL "INTERFACE_LIBRARY")
        target_include_directories(cloison_${name} PRIVATE ${generated})
    endif()
endfunction()
