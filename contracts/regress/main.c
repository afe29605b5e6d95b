/* The contract `regress`: a number per row (a yield, a price, a loss), learned from the union
 * of the parties' rows. docs/contracts/regress.md tells its mathematics.
 *   evaluate    trained on `training`, scored on `holdout`
 *   compare     each party's rows alone against all, on the same held-out rows
 *   predict     the value of each of the requester's own rows; to it alone
 *   train       leaves the model in the contract
 *   score       the value of each of the requester's own rows, by a model that was left
 *   model       its parameters, where the manifest lets them out
 *   private_train, score_private  differentially private: ridge regression */
#include "contracts/lib/learn.h"
#include "contracts/lib/private.h"

apex_status apex_contract(struct apex_run *run)
{
    struct learn l = {.run = run,
                      .rules = release_rules_of(run),
                      .kind = FRAME_NUMBERS,
                      .target = "target",
                      .own = "fields",
                      .options = learner_options_of(run, true)};
    private_asked(run);
    return learn_function(&l);
}
