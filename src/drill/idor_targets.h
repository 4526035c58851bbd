#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "drill/drill.h"

namespace cloison::drill {

/// What stands in for the parameters of a route's pattern.
using Parameters = std::map<std::string, std::string>;

/// Names of the parameters of a pattern, in order.
std::vector<std::string> parameter_names(const std::string& pattern);
/// The pattern with its parameters filled in; kNotFound naming the first that has no value.
Result<std::string> fill(const std::string& pattern, const Parameters& parameters);

/// Which parameters name an object of somebody: an id. The others are words that everybody knows
/// (a question's page, a kind of document, a status) or numbers.
bool names_an_object(const std::string& parameter);
/// The same parameters with every object replaced by one that does not exist.
Parameters without_objects(const Parameters& parameters, Random& random);

/// What is left of a page when the objects that were asked for and the tokens of forms are taken
/// out: pages about different objects that do not exist must then be the same bytes.
std::string neutral(std::string body, const Parameters& parameters);

}  // namespace cloison::drill
