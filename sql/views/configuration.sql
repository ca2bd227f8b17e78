-- One row a version of a site's file that results were made with.
create or replace view mart.configuration as
select
    c.site,
    c.catalog_id as configuration_id,
    c.sha256,
    c.content
from op.catalog as c
where position('@' in c.site) = 0;
