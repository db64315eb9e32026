from table import *
SCENARIOS=[Scenario("healthy.test", set(), "protected", 0), Scenario("danehealthy.test", {"dane.present"}, "protected", 0, signed=True, mx_records=[(10,DANE_POSTFIX)])]
