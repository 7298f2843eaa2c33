pcs property set site=admin
