-- One row: readings and messages that could not be used.
select count(*) as rejected
from mart.quarantine
where $__timeFilter(received_at);
