#pragma once

#include <filesystem>
#include <fstream>

namespace cloison::web {

/// For tests: makes `directory` a web directory out of the templates and texts of the source tree
/// and empty assets, so that tests of pages need no npm build. Throws if it cannot.
inline void make_test_web_directory(const std::filesystem::path& source_tree,
                                    const std::filesystem::path& directory) {
    namespace fs = std::filesystem;
    fs::create_directories(directory / "assets");
    for (const char* part : {"templates", "texts"})
        fs::copy(source_tree / "web" / part, directory / part, fs::copy_options::recursive);
    std::ofstream(directory / "assets" / "site-test.css") << "body{}";
    std::ofstream(directory / "assets" / "site-test.js") << "export {};";
    std::ofstream(directory / "assets" / "mark-test.svg")
        << "<svg xmlns='http://www.w3.org/2000/svg'/>";
    std::ofstream(directory / "assets" / "manifest.json")
        << R"({"site.css":"site-test.css","site.js":"site-test.js","mark.svg":"mark-test.svg"})";
}

}  // namespace cloison::web
