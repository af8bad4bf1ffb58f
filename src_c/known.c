#include "known.h"

const xf_known_name xf_known[64] = {
    [39] = {"xmlns"}, [27] = {"to"},      [49] = {"from"},    [26] = {"id"},
    [55] = {"type"},  [54] = {"xml:lang"}, [28] = {"node"},   [34] = {"ver"},
    [42] = {"hash"},  [13] = {"jid"},     [14] = {"name"},    [9] = {"var"},
    [48] = {"stamp"}, [44] = {"by"},      [32] = {"code"},    [20] = {"category"},
    [29] = {"ask"},   [23] = {"value"},   [56] = {"version"}, [4] = {"sid"},
    [57] = {"seq"},   [10] = {"url"},     [7] = {"uri"},      [61] = {"nick"},
    [47] = {"role"},  [36] = {"queryid"}, [51] = {"label"},   [25] = {"max"},
    [6] = {"h"},      [62] = {"status"},  [60] = {"size"},    [24] = {"algo"},
    [46] = {"key"},   [38] = {"action"},  [37] = {"content"}, [53] = {"resource"},
    [33] = {"start"}, [63] = {"end"},
};
