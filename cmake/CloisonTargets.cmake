find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
    add_link_options(-fuse-ld=mold)
endif()

set(CLOISON_SANITIZE "" CACHE STRING "Sanitizers to compile with, as for -fsanitize=")

add_library(cloison_warnings INTERFACE)
target_compile_options(
    cloison_warnings
    INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference
)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 reports these for std::string and std::vector code that is correct (PR105329, PR107852).
    target_compile_options(
        cloison_warnings
        INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-null-dereference
                  -Wno-maybe-uninitialized -Wno-stringop-overread
    )
endif()
if(CLOISON_SANITIZE)
    add_compile_options(-fsanitize=${CLOISON_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${CLOISON_SANITIZE})
endif()

# cloison_folder(<name> ARROWS <folders...> USES <outside libraries...>)
#
# Makes the library of one folder of src/ out of its *.cc files, and one test program out of its
# *_test.cc files. ARROWS are the folders whose headers it may include; USES are libraries from
# outside, which stay private to the folder.
function(cloison_folder name)
    cmake_parse_arguments(FOLDER "" "" "ARROWS;USES;TEST_USES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")

    if(sources)
        add_library(cloison_${name} STATIC ${sources})
        set(scope PUBLIC)
        target_link_libraries(cloison_${name} PRIVATE cloison_warnings ${FOLDER_USES})
    else()
        add_library(cloison_${name} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(cloison_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
    foreach(arrow IN LISTS FOLDER_ARROWS)
        target_link_libraries(cloison_${name} ${scope} cloison_${arrow})
    endforeach()

    if(tests AND BUILD_TESTING)
        add_executable(${name}_test ${tests})
        target_link_libraries(
            ${name}_test PRIVATE cloison_${name} cloison_warnings ${FOLDER_USES} ${FOLDER_TEST_USES}
                                 GTest::gmock GTest::gtest_main
        )
        target_compile_definitions(${name}_test PRIVATE CLOISON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
        add_test(NAME unit.${name} COMMAND ${name}_test)
        set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 600)
        if(CLOISON_SANITIZE STREQUAL "thread")
            # Debian's libraries are not instrumented: the file says which reports are noise.
            set_tests_properties(
                unit.${name}
                PROPERTIES ENVIRONMENT
                           "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/tsan_suppressions.txt"
            )
        endif()
    endif()
endfunction()
